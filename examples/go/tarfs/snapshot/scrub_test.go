package snapshot_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// rot flips a bit in the middle of a file, as a bad disk does: length and times stay.
func rot(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	ok(t, err)
	data, err := os.ReadFile(path)
	ok(t, err)
	data[len(data)/2] ^= 4
	ok(t, os.WriteFile(path, data, 0o600))
	ok(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
}

// only is the one file that a pattern finds below the root.
func only(t *testing.T, root, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, pattern))
	ok(t, err)
	if len(found) != 1 {
		t.Fatalf("%q, where one is looked for", found)
	}
	return found[0]
}

// A flipped bit in metadata that is kept costs one more merge, or one more look at the tar, and nothing else.
func TestFlippedMetadata(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	want := unpacked(t, tars...)
	for _, row := range []string{"images/*/bootstrap", "layers/" + sum(tars[0]) + "/bootstrap"} {
		t.Run(row, func(t *testing.T) {
			r, root := newRegistry(), diskDir(t)
			m := manager(t, root, snapshot.Options{Fetcher: r})
			s := image(t, m, r, "s", tars...)
			_, err := m.MountTarErofs(t.Context(), s.ID, s)
			ok(t, err)
			ok(t, m.UmountTarErofs(s.ID))
			path := only(t, root, row)
			whole, err := os.ReadFile(path)
			ok(t, err)
			rot(t, path)
			if filepath.Dir(filepath.Dir(path)) == filepath.Join(root, "layers") {
				ok(t, os.RemoveAll(filepath.Dir(only(t, root, "images/*/bootstrap"))))
			}
			for range 2 {
				target, err := m.MountTarErofs(t.Context(), s.ID, s)
				ok(t, err)
				sameTree(t, target, want)
				ok(t, m.UmountTarErofs(s.ID))
			}
			if again, err := os.ReadFile(path); err != nil || string(again) != string(whole) {
				t.Errorf("it was not made again: %v", err)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	tars, r, root := threeLayers(t), newRegistry(), diskDir(t)
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	ok(t, m.MergeLayers(t.Context(), s))
	verified := func(lost ...string) {
		t.Helper()
		done, err := m.Verify(t.Context())
		ok(t, err)
		if done.Layers != len(tars) || len(done.Lost) != len(lost) {
			t.Fatalf("%+v, where %q are lost", done, lost)
		}
		for i, loss := range done.Lost {
			if loss.Path != lost[i] || !errors.Is(loss.Err, snapshot.ErrDamaged) {
				t.Errorf("%+v, where %s is lost", loss, lost[i])
			}
		}
	}
	verified()
	rot(t, filepath.Join(root, "layers", sum(tars[0]), "bootstrap")) // made again
	verified()
	verified()
	image := only(t, root, "images/*")
	rot(t, filepath.Join(image, "bootstrap"))
	verified("images/" + filepath.Base(image))
	if _, err := os.Lstat(image); err == nil {
		t.Error("the damaged image is still there")
	}
	tar := filepath.Join(root, "layers", sum(tars[2]), "tar")
	rot(t, tar)
	verified("layers/" + sum(tars[2])) // used by a snapshot
	if _, err := os.Lstat(tar); err != nil {
		t.Error("a layer that is used is gone")
	}
}

// Metadata that no tar gives any more is not taken for the layer's.
func TestFlippedTarAndMetadata(t *testing.T) {
	tars, r, root := threeLayers(t), newRegistry(), diskDir(t)
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	layer := filepath.Join(root, "layers", sum(tars[0]))
	rot(t, filepath.Join(layer, "bootstrap"))
	data, err := os.ReadFile(filepath.Join(layer, "tar"))
	ok(t, err)
	copy(data[100:107], "0000777") // the first entry's mode; its checksum does not fit any more
	ok(t, os.WriteFile(filepath.Join(layer, "tar"), data, 0o600))
	if err := m.MergeLayers(t.Context(), s); !errors.Is(err, snapshot.ErrDamaged) {
		t.Errorf("merged: %v", err)
	}
}

func TestUnsafeRoots(t *testing.T) {
	for _, row := range []struct {
		name    string
		prepare func(root string) error
	}{
		{"others may write", func(root string) error { return os.Chmod(root, 0o777) }},
		{"its group may write", func(root string) error { return os.Chmod(root, 0o770) }},
		{"others may rename it", func(root string) error { return os.Chmod(filepath.Dir(root), 0o777) }},
		{"it is somebody else's", func(root string) error { return os.Chown(root, 12345, -1) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := filepath.Join(diskDir(t), "root")
			ok(t, os.Mkdir(root, 0o700))
			ok(t, row.prepare(root))
			_, err := snapshot.NewManager(root, snapshot.Options{Fetcher: newRegistry()})
			if !errors.Is(err, snapshot.ErrUnsafe) {
				t.Errorf("opened: %v", err)
			}
		})
	}
}

// A link in the place of a directory or file is not followed.
func TestLinksAreNotFollowed(t *testing.T) {
	root, elsewhere := diskDir(t), diskDir(t)
	ok(t, os.WriteFile(filepath.Join(elsewhere, ".tmp-1"), nil, 0o600))
	ok(t, os.Symlink(elsewhere, filepath.Join(root, "layers")))
	if m, err := snapshot.NewManager(root, snapshot.Options{Fetcher: newRegistry()}); err == nil {
		m.Close()
		t.Error("a link is taken for a directory")
	}
	if _, err := os.Lstat(filepath.Join(elsewhere, ".tmp-1")); err != nil {
		t.Error("what a link leads to was changed")
	}

	tars, r, root := threeLayers(t), newRegistry(), diskDir(t)
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	bootstrap := filepath.Join(root, "layers", sum(tars[0]), "bootstrap")
	other := filepath.Join(elsewhere, "bootstrap")
	data, err := os.ReadFile(bootstrap)
	ok(t, err)
	ok(t, os.WriteFile(other, data, 0o600))
	ok(t, os.Remove(bootstrap))
	ok(t, os.Symlink(other, bootstrap))
	ok(t, m.MergeLayers(t.Context(), s)) // it was made again
	if info, err := os.Lstat(bootstrap); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is still there: %v", err)
	}
}
