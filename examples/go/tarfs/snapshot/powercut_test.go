package snapshot_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPowerCut is TestKill for the machine: the directory is on an ext4 of its own, in a file. What
// is in that file when the process is killed is what a disk has at a power cut, with nothing that
// was not synced. So a copy of the file, mounted, is the disk after the restart. TARFS_CUTS is how
// often.
func TestPowerCut(t *testing.T) {
	canMount(t)
	program(t, "mkfs.ext4")
	cuts := number(t, "TARFS_CUTS", 8)
	seed := number(t, "TARFS_SEED", uint64(time.Now().UnixNano()))
	t.Logf("TARFS_SEED=%d TARFS_CUTS=%d", seed, cuts)
	random := rand.New(rand.NewPCG(seed, 1))

	work := diskDir(t)
	disk := &ext4{file: filepath.Join(work, "disk"), target: filepath.Join(work, "mnt")}
	ok(t, os.Mkdir(disk.target, 0o700))
	run(t, "truncate", "--size=96M", disk.file)
	run(t, "mkfs.ext4", "-q", disk.file)
	disk.mount(t)
	t.Cleanup(func() { disk.unmount(t) })

	o := orders{Root: filepath.Join(disk.target, "root"), Blobs: diskDir(t)}
	ref := newReference(t, &o, random)
	said := newSaid()
	lines := 0
	for n := range cuts {
		o.Seed, o.Backing, o.Steps = random.Uint64(), anyBacking(random), 1+random.Int64N(400)
		got := o.killed(t, time.Minute)
		disk.cut(t)
		lines += len(got)
		for _, line := range got {
			said.hear(t, strings.Fields(line))
		}
		said.check(t, o.Root, ref)
		if t.Failed() {
			t.Fatalf("after cut %d", n+1)
		}
	}
	t.Logf("%d reports; %d snapshots, %d items, %d mounts at the end", lines, len(said.ready), len(said.items), len(said.mounted))
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// ext4 is a file system in a file.
type ext4 struct{ file, target string }

// mount mounts it so that it writes only what someone syncs, for as long as a test takes.
func (e *ext4) mount(t testing.TB) {
	t.Helper()
	run(t, "mount", "-t", "ext4", "-o", "loop,commit=300", e.file, e.target)
}

func (e *ext4) unmount(t testing.TB) {
	t.Helper()
	unmountAll(t, filepath.Join(e.target, "root"))
	run(t, "umount", e.target)
}

// cut goes on with a copy of what is in the file now.
func (e *ext4) cut(t testing.TB) {
	t.Helper()
	after := e.file + "+"
	for range 10 {
		run(t, "cp", "--sparse=always", e.file, after)
		// Unless someone synced the whole machine meanwhile, that is one moment's.
		if exec.Command("cmp", "-s", e.file, after).Run() == nil {
			break
		}
	}
	e.unmount(t) // writes the rest, to the file that nobody sees again
	ok(t, os.Rename(after, e.file))
	e.mount(t)
}
