package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// block is how much of a file Btrfs has one checksum for.
const block = 4096

// Disk is a filesystem of which bytes can become unreadable, as the sectors of a bad disk do: Btrfs has a checksum of
// each block, and where that does not fit, what is read is EIO.
type Disk struct {
	// Dir is where it is mounted.
	Dir   string
	image string
}

// NewDisk makes a disk, which is gone at the test's end. Only root can; Debian's btrfs-progs makes it.
func NewDisk(t testing.TB) *Disk {
	t.Helper()
	_, missing := exec.LookPath("mkfs.btrfs")
	if os.Getuid() != 0 || missing != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI without root or mkfs.btrfs: %v", missing)
		}
		t.Skip("needs root, and mkfs.btrfs (apt-get install btrfs-progs)")
	}
	base, err := os.MkdirTemp("/var/tmp", "tarfs-faults-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	d := &Disk{Dir: filepath.Join(base, "disk"), image: filepath.Join(base, "image")}
	err = errors.Join(os.WriteFile(d.image, nil, 0o600), os.Truncate(d.image, 256<<20), os.Mkdir(d.Dir, 0o700))
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{{"mkfs.btrfs", "-q", d.image}, {"mount", "-o", "loop", d.image, d.Dir}} {
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", words, err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(d.Dir, unix.MNT_DETACH); err != nil {
			t.Errorf("umount %s: %v", d.Dir, err)
		}
	})
	return d
}

// Spoil lets the block of a file at an offset become unreadable, and with it all files that share it or have the same
// bytes; what it returns mends it.
func (d *Disk) Spoil(t testing.TB, path string, offset int64) (mend func()) {
	t.Helper()
	if err := d.sync(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wanted := make([]byte, block)
	copy(wanted, data[offset/block*block:])
	found := d.find(t, wanted)
	d.flip(t, found)
	if err := d.sync(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(path); len(found) == 0 || !errors.Is(err, unix.EIO) {
		t.Fatalf("%s is not unreadable, with %d blocks flipped: %v", path, len(found), err)
	}
	return func() { d.flip(t, found) }
}

// find is where the disk has a block.
func (d *Disk) find(t testing.TB, wanted []byte) (found []int64) {
	t.Helper()
	image, err := os.Open(d.image)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	for at, got := int64(0), make([]byte, block); ; at += block {
		// What nothing was written to is not read.
		if at, err = image.Seek(at, unix.SEEK_DATA); err != nil {
			return found
		}
		at = at / block * block
		if _, err := image.ReadAt(got, at); err != nil {
			return found
		}
		if bytes.Equal(got, wanted) {
			found = append(found, at)
		}
	}
}

// flip flips a bit in blocks of the disk.
func (d *Disk) flip(t testing.TB, blocks []int64) {
	t.Helper()
	image, err := os.OpenFile(d.image, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	for _, at := range blocks {
		one := make([]byte, 1)
		if _, err := image.ReadAt(one, at); err != nil {
			t.Fatal(err)
		}
		one[0] ^= 4
		if _, err := image.WriteAt(one, at); err != nil {
			t.Fatal(err)
		}
	}
}

// sync brings a file to the disk, and out of the cache.
func (d *Disk) sync(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.Syncfs(int(file.Fd())); err != nil {
		return fmt.Errorf("syncfs: %w", err)
	}
	return unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
}
