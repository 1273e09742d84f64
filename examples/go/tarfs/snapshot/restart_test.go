package snapshot_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
	"golang.org/x/sys/unix"
)

// filled makes a root with a bit of everything, and closes its manager.
func filled(t *testing.T, root string, options snapshot.Options, r *registry, tars [][]byte) snapshot.Snapshot {
	t.Helper()
	options.Fetcher, options.Fetch = r, quick
	m, err := snapshot.NewManager(root, options)
	ok(t, err)
	s := image(t, m, r, "s", tars...)
	_, err = m.Export(t.Context(), s, tarfs.ImageBlockWithVerity)
	ok(t, err)
	_, err = m.MountTarErofs(t.Context(), "c", s)
	ok(t, err)
	ok(t, m.Close())
	t.Cleanup(func() { unmountAll(t, root) })
	return s
}

// noFetch is for managers that have all they need.
var noFetch = newRegistry()

func TestRestartKeepsEverything(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	want := listing(t, unpacked(t, tars...))
	for name, backing := range backings {
		for _, reboot := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reboot %v", name, reboot), func(t *testing.T) {
				canBack(t, backing)
				root := diskDir(t)
				s := filled(t, root, snapshot.Options{Backing: backing}, newRegistry(), tars)
				target := filepath.Join(root, "mnt", "c")
				var before, after unix.Stat_t
				ok(t, unix.Stat(target, &before))
				if reboot { // the kernel forgets all mounts
					ok(t, unix.Unmount(target, 0))
					ok(t, os.Remove(target))
				}
				m := manager(t, root, snapshot.Options{Fetcher: noFetch, Backing: backing})
				found := m.Recovered()
				slices.Sort(found.Snapshots)
				if !slices.Equal(found.Snapshots, []string{"s1", "s2", "s3"}) || !slices.Equal(found.Mounts, []string{"c"}) ||
					len(found.Remounted) == 1 != reboot || len(found.Lost) != 0 || found.Temporaries != 0 {
					t.Errorf("recovered %+v", found)
				}
				ok(t, unix.Stat(target, &after))
				if !reboot && before.Dev != after.Dev {
					t.Error("it was mounted again while it was there")
				}
				sameLines(t, listing(t, target), want)
				for _, id := range s.ParentIDs {
					ok(t, m.WaitLayerReady(t.Context(), id))
				}
				_, err := m.Export(t.Context(), s, tarfs.ImageBlockWithVerity)
				ok(t, err)
				again, err := m.MountTarErofs(t.Context(), "c", s)
				ok(t, err)
				if again != target {
					t.Errorf("mounted on %s, then on %s", target, again)
				}
				// Detached is detached, after another restart too.
				ok(t, m.UmountTarErofs("c"))
				ok(t, m.DetachLayer("s3"))
				ok(t, m.Close())
				m = manager(t, root, snapshot.Options{Fetcher: noFetch})
				found = m.Recovered()
				slices.Sort(found.Snapshots)
				if !slices.Equal(found.Snapshots, []string{"s1", "s2"}) || len(found.Mounts)+len(found.Lost) != 0 {
					t.Errorf("recovered %+v", found)
				}
			})
		}
	}
}

func TestTwoManagers(t *testing.T) {
	root := t.TempDir()
	m := manager(t, root, snapshot.Options{Fetcher: noFetch})
	if _, err := snapshot.NewManager(root, snapshot.Options{Fetcher: noFetch}); !errors.Is(err, snapshot.ErrLocked) {
		t.Errorf("two managers of one directory: %v", err)
	}
	ok(t, m.Close())
	manager(t, root, snapshot.Options{Fetcher: noFetch})
}

func TestClosed(t *testing.T) {
	r := newRegistry()
	tar := archive(t, file("a", "a"))
	m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r, ExportMode: tarfs.ImageBlock, CheckHint: true})
	s := image(t, m, r, "s", tar)
	ok(t, m.Close())
	ok(t, m.Close())
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"PrepareLayer":   func() error { return m.PrepareLayer(ctx, "x", r.add(tar, tar)) },
		"WaitLayerReady": func() error { return m.WaitLayerReady(ctx, "s1") },
		"MergeLayers":    func() error { return m.MergeLayers(ctx, s) },
		"Export":         func() error { _, err := m.Export(ctx, s, tarfs.ImageBlock); return err },
		"ExportBlockData": func() error {
			_, err := m.ExportBlockData(ctx, s, false, map[string]string{})
			return err
		},
		"MountTarErofs":  func() error { _, err := m.MountTarErofs(ctx, "c", s); return err },
		"UmountTarErofs": func() error { return m.UmountTarErofs("c") },
		"DetachLayer":    func() error { return m.DetachLayer("s1") },
		"Collect":        func() error { _, err := m.Collect(); return err },
		"CheckTarfsHintAnnotation": func() error {
			_, err := m.CheckTarfsHintAnnotation(ctx, "ref", sha(tar))
			return err
		},
	} {
		if err := call(); !errors.Is(err, snapshot.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Damage is reported, and costs what depended on it, no more.
func TestDamage(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	layer := filepath.Join("layers", sum(tars[2]))
	for name, row := range map[string]struct {
		damage func(root string) error
		lost   []string // prefixes, sorted
		mounts bool
	}{
		"nothing": {func(string) error { return nil }, nil, true},
		"a tar is cut": {func(root string) error {
			return os.Truncate(filepath.Join(root, layer, "tar"), 1000)
		}, []string{layer, "mounts/c.json", "snapshots/s3.json"}, false},
		"a layer is gone": {func(root string) error {
			return os.RemoveAll(filepath.Join(root, layer))
		}, []string{"mounts/c.json", "snapshots/s3.json"}, false},
		"a layer says nothing": {func(root string) error {
			return os.WriteFile(filepath.Join(root, layer, "info.json"), nil, 0o600)
		}, []string{layer, "mounts/c.json", "snapshots/s3.json"}, false},
		"a layer is another's": {func(root string) error {
			return os.WriteFile(filepath.Join(root, layer, "info.json"), []byte(`{"layers":["x"],"files":{}}`), 0o600)
		}, []string{layer, "mounts/c.json", "snapshots/s3.json"}, false},
		"a disk is gone": {func(root string) error {
			disks, _ := filepath.Glob(filepath.Join(root, "disks", "*", "disk"))
			return os.Remove(disks[0])
		}, []string{"disks/"}, true},
		"the image is gone": {func(root string) error {
			images, _ := filepath.Glob(filepath.Join(root, "images", "*"))
			return os.RemoveAll(images[0])
		}, nil, true},
		"a snapshot's record is cut": {func(root string) error {
			return os.Truncate(filepath.Join(root, "snapshots", "s1.json"), 5)
		}, []string{"snapshots/s1.json"}, true},
		"a mount's record is cut": {func(root string) error {
			return os.Truncate(filepath.Join(root, "mounts", "c.json"), 5)
		}, []string{"mounts/c.json"}, false},
		"a mount's record is gone": {func(root string) error {
			return os.Remove(filepath.Join(root, "mounts", "c.json"))
		}, nil, false},
		"foreign files": {func(root string) error {
			return errors.Join(os.Mkdir(filepath.Join(root, "layers", "lost+found"), 0o700),
				os.WriteFile(filepath.Join(root, "snapshots", "README"), nil, 0o600))
		}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			root := diskDir(t)
			s := filled(t, root, snapshot.Options{}, newRegistry(), tars)
			ok(t, row.damage(root))
			r := newRegistry()
			m := manager(t, root, snapshot.Options{Fetcher: r})
			found := m.Recovered()
			var lost []string
			for _, loss := range found.Lost {
				if !errors.Is(loss.Err, snapshot.ErrDamaged) {
					t.Errorf("%s: %v", loss.Path, loss.Err)
				}
				lost = append(lost, loss.Path)
			}
			slices.Sort(lost)
			if !slices.EqualFunc(lost, row.lost, strings.HasPrefix) {
				t.Errorf("lost %q, not %q", lost, row.lost)
			}
			if (len(found.Mounts) == 1) != row.mounts {
				t.Errorf("mounts %q", found.Mounts)
			}
			// Prepared again it is as it was.
			again := image(t, m, r, "s", tars...)
			if !slices.Equal(again.ParentIDs, s.ParentIDs) {
				t.Fatal("test is wrong")
			}
			target, err := m.MountTarErofs(t.Context(), "c", s)
			ok(t, err)
			sameTree(t, target, unpacked(t, tars...))
			disk, err := m.Export(t.Context(), s, tarfs.ImageBlockWithVerity)
			ok(t, err)
			ok(t, verify(t, disk.Path, disk.Path, disk.Label))
			ok(t, m.Close())
			m = manager(t, root, snapshot.Options{Fetcher: r})
			if found := m.Recovered(); len(found.Lost) != 0 || len(found.Snapshots) != 3 || len(found.Mounts) != 1 {
				t.Errorf("the next manager recovered %+v", found)
			}
		})
	}
}

// A mount of something else at our mount point is replaced.
func TestAnotherMountAtThePlace(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	root := diskDir(t)
	r := newRegistry()
	s := filled(t, root, snapshot.Options{}, r, tars)
	target := filepath.Join(root, "mnt", "c")
	ok(t, unix.Unmount(target, 0))
	m := manager(t, root, snapshot.Options{Fetcher: noFetch}) // mounts it again
	other := snapshot.Snapshot{ID: "o", ParentIDs: s.ParentIDs[1:]}
	_, err := m.MountTarErofs(t.Context(), "o", other)
	ok(t, err)
	ok(t, m.UmountTarErofs("o"))
	ok(t, m.Close())
	ok(t, unix.Unmount(target, 0))
	images, err := filepath.Glob(filepath.Join(root, "images", "*", "bootstrap"))
	ok(t, err)
	if len(images) != 2 {
		t.Fatalf("%d images", len(images))
	}
	// One of the two is the other image.
	for _, bootstrap := range images {
		f, err := os.Open(bootstrap)
		ok(t, err)
		parsed, err := tarfs.OpenImage(f, 0)
		f.Close()
		ok(t, err)
		devices := parsed.Devices()
		parsed.Close()
		var options []string
		for _, device := range devices {
			options = append(options, "device="+filepath.Join(root, "layers", device.Tag, "tar"))
		}
		ok(t, unix.Mount(bootstrap, target, "erofs", unix.MS_RDONLY, strings.Join(options, ",")))
	}
	m = manager(t, root, snapshot.Options{Fetcher: noFetch})
	if found := m.Recovered(); len(found.Mounts) != 1 || len(found.Lost) != 0 {
		t.Errorf("recovered %+v", found)
	}
	sameTree(t, target, unpacked(t, tars...))
	ok(t, m.UmountTarErofs("c"))
	if _, err := os.Lstat(target); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left mounted: %v", err)
	}
}
