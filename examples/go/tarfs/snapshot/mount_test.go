package snapshot_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
	"golang.org/x/sys/unix"
)

var backings = map[string]snapshot.Backing{
	"auto": snapshot.BackingAuto, "file": snapshot.BackingFile, "loop": snapshot.BackingLoop,
}

// mountsFiles says whether the kernel can mount files without loop devices: Linux 6.12.
func mountsFiles() bool {
	var name unix.Utsname
	var major, minor int
	if unix.Uname(&name) != nil {
		return false
	}
	fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor)
	return major > 6 || major == 6 && minor >= 12
}

// canBack skips a test of what an older kernel cannot do.
func canBack(t *testing.T, backing snapshot.Backing) {
	t.Helper()
	canMount(t)
	oracle(t, backing != snapshot.BackingFile || mountsFiles(), "Linux 6.12, which mounts files")
}

func TestMountShowsWhatTarUnpacks(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	want := unpacked(t, tars...)
	for name, backing := range backings {
		t.Run(name, func(t *testing.T) {
			canBack(t, backing)
			r, root := newRegistry(), diskDir(t)
			m := manager(t, root, snapshot.Options{Fetcher: r, Backing: backing})
			s := image(t, m, r, "s", tars...)
			target, err := m.MountTarErofs(t.Context(), s.ID, s)
			ok(t, err)
			if target != m.MountPoint(s.ID) {
				t.Errorf("mounted on %s, not on %s", target, m.MountPoint(s.ID))
			}
			sameTree(t, target, want)
			want := 0
			if backing == snapshot.BackingLoop || !mountsFiles() {
				want = 4
			}
			if loops := len(loopsNow(t, root)); loops != want {
				t.Errorf("%d loop devices, not %d", loops, want)
			}
			ok(t, m.UmountTarErofs(s.ID))
			if _, err := os.Lstat(target); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("mount point is left: %v", err)
			}
			if left := loopsOf(t, root); len(left) > 0 {
				t.Errorf("loop devices are left: %q", left)
			}
			if err := m.UmountTarErofs(s.ID); !errors.Is(err, snapshot.ErrNotFound) {
				t.Errorf("unmounted twice: %v", err)
			}
		})
	}
}

// loopsNow is loopsOf without waiting for an end.
func loopsNow(t *testing.T, root string) (found []string) {
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	ok(t, err)
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && strings.HasPrefix(string(data), root+"/") {
			found = append(found, string(data))
		}
	}
	return found
}

// On tmpfs the kernel mounts no file: Auto has to see that.
func TestMountOnTmpfs(t *testing.T) {
	canMount(t)
	root := diskDir(t)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", root).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", root).Run() })
	tars := threeLayers(t)
	r := newRegistry()
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	target, err := m.MountTarErofs(t.Context(), s.ID, s)
	ok(t, err)
	sameTree(t, target, unpacked(t, tars...))
	if n := len(loopsNow(t, root)); n != 4 {
		t.Errorf("%d loop devices", n)
	}
}

// A path that is too long for an option is mounted by loop devices.
func TestMountBelowALongPath(t *testing.T) {
	canMount(t)
	root := filepath.Join(diskDir(t), strings.Repeat("long", 40), strings.Repeat("path", 40))
	tars := threeLayers(t)
	r := newRegistry()
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	target, err := m.MountTarErofs(t.Context(), s.ID, s)
	ok(t, err)
	sameTree(t, target, unpacked(t, tars...))
	ok(t, m.Close())
	m = manager(t, root, snapshot.Options{Fetcher: noFetch})
	if found := m.Recovered(); len(found.Mounts) != 1 || len(found.Remounted) != 0 {
		t.Errorf("recovered %+v", found)
	}
}

// A page of options holds about 200 devices, and a layer that is there twice is one device.
func TestMountOfManyLayers(t *testing.T) {
	canMount(t)
	const count = 300
	var tars [][]byte
	for i := range count {
		// Names that come in another order than the layers, so that a device table in the order of
		// the names would be another.
		tars = append(tars, archive(t, file(fmt.Sprintf("f%03d", (i*7)%count), noise(uint64(i), 600+i))))
	}
	tars = append(tars, tars[0], tars[count/2], tars[0])
	r := newRegistry()
	m := manager(t, diskDir(t), snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	target, err := m.MountTarErofs(t.Context(), s.ID, s)
	ok(t, err)
	sameTree(t, target, unpacked(t, tars...))
}

func TestMountedTwiceAndOtherwise(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	r := newRegistry()
	m := manager(t, diskDir(t), snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	target, err := m.MountTarErofs(t.Context(), "x", s)
	ok(t, err)
	again, err := m.MountTarErofs(t.Context(), "x", s)
	ok(t, err)
	if again != target {
		t.Errorf("%s, then %s", target, again)
	}
	other := snapshot.Snapshot{ID: "o", ParentIDs: s.ParentIDs[1:]}
	if _, err := m.MountTarErofs(t.Context(), "x", other); !errors.Is(err, snapshot.ErrExists) {
		t.Errorf("another image on the same ID: %v", err)
	}
	_, err = m.MountTarErofs(t.Context(), "y", other)
	ok(t, err)

	// Someone else unmounts it: the next call sees that.
	ok(t, unix.Unmount(target, 0))
	_, err = m.MountTarErofs(t.Context(), "x", s)
	ok(t, err)
	sameTree(t, target, unpacked(t, tars...))

	// In use: it stays, and detaching says so.
	f, err := os.Open(filepath.Join(target, "top"))
	ok(t, err)
	defer f.Close()
	for _, end := range []func(string) error{m.UmountTarErofs, m.DetachLayer} {
		if err := end("x"); !errors.Is(err, unix.EBUSY) {
			t.Errorf("in use, and unmounted: %v", err)
		}
	}
	sameTree(t, target, unpacked(t, tars...))
	f.Close()
	ok(t, m.DetachLayer("x"))
	ok(t, m.UmountTarErofs("y"))
}

func TestManyMountAtOnce(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	want := listing(t, unpacked(t, tars...))
	for name, backing := range backings {
		t.Run(name, func(t *testing.T) {
			canBack(t, backing)
			r := newRegistry()
			m := manager(t, diskDir(t), snapshot.Options{Fetcher: r, Backing: backing})
			s := image(t, m, r, "s", tars...)
			errs := make(chan error)
			for i := range 8 {
				go func() { // pairs of callers of the same ID
					_, err := m.MountTarErofs(t.Context(), fmt.Sprint("m", i/2), s)
					errs <- err
				}()
			}
			for range 8 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			for i := range 4 {
				id := fmt.Sprint("m", i)
				sameLines(t, listing(t, m.MountPoint(id)), want)
				ok(t, m.UmountTarErofs(id))
			}
		})
	}
}

func TestMountRefused(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	r, root := newRegistry(), diskDir(t)
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	for what, row := range map[string]struct {
		id   string
		s    snapshot.Snapshot
		want error
	}{
		"no parents":     {"x", snapshot.Snapshot{ID: "x"}, snapshot.ErrInvalid},
		"unknown parent": {"x", snapshot.Snapshot{ID: "x", ParentIDs: []string{"no"}}, snapshot.ErrNotFound},
		"ID up":          {"../x", s, snapshot.ErrInvalid},
		"ID hidden":      {".x", s, snapshot.ErrInvalid},
		"no ID":          {"", s, snapshot.ErrInvalid},
	} {
		if _, err := m.MountTarErofs(t.Context(), row.id, row.s); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A tar that someone cut would read as EIO, or as nothing.
	tar := filepath.Join(root, "layers", sum(tars[2]), "tar")
	ok(t, os.Truncate(tar, 512))
	if _, err := m.MountTarErofs(t.Context(), "x", s); !errors.Is(err, snapshot.ErrDamaged) {
		t.Errorf("a tar that was cut: %v", err)
	}
	left, err := os.ReadDir(filepath.Join(root, "mnt"))
	ok(t, err)
	records, err := os.ReadDir(filepath.Join(root, "mounts"))
	ok(t, err)
	if len(left)+len(records) != 0 {
		t.Errorf("left: %v, %v", left, records)
	}
}

// What umoci unpacked of a real image, against what we mount.
func TestMountRealImage(t *testing.T) {
	canMount(t)
	fixtures := filepath.Join(os.Getenv("TARFS_FIXTURES"), "real-image")
	tars, err := filepath.Glob(filepath.Join(fixtures, "layers", "*.tar"))
	ok(t, err)
	oracle(t, os.Getenv("TARFS_FIXTURES") != "" && len(tars) > 0, "TARFS_FIXTURES, where tests/fixtures/real-image.sh put a real image")
	slices.Sort(tars)
	r := newRegistry()
	m := manager(t, diskDir(t), snapshot.Options{Fetcher: r})
	var layers []snapshot.Layer
	for _, path := range tars {
		data, err := os.ReadFile(path)
		ok(t, err)
		layers = append(layers, r.add(data, data))
	}
	s := prepared(t, m, "s", layers...)
	target, err := m.MountTarErofs(t.Context(), s.ID, s)
	ok(t, err)
	diff := exec.Command("diff", "-r", "--no-dereference", "--exclude=dev", filepath.Join(fixtures, "rootfs"), target)
	if out, err := diff.CombinedOutput(); err != nil {
		t.Errorf("%v\n%.2000s", err, out)
	}
}
