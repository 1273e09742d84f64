package tarfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// A tree changed by hand and an export with the same changes show the same.
func TestChanges(t *testing.T) {
	tar := archive(t, fileEntry("etc/motd", "hello"), fileEntry("etc/shadow", "x"))
	tree := index(t, tar, nil).Tree
	gid := uint32(7)
	changes := &tarfs.Changes{
		UIDOffset: 100000,
		ForceGID:  &gid,
		Latest:    time.Unix(-5, 6),
		Exclude:   []string{"etc/shadow"},
	}
	changed := must[*tarfs.Tree](t)(tree.Change(changes))
	defer changed.Close()
	if _, err := changed.Lookup("etc/shadow"); !errors.Is(err, tarfs.ErrNotFound) {
		t.Errorf("what is left out: %v", err)
	}
	inode := must[uint32](t)(changed.Lookup("etc/motd"))
	stat := must[*tarfs.Stat](t)(changed.Stat(inode))
	if stat.UID != 100000 || stat.GID != 7 || !stat.ModTime.Equal(changes.Latest) {
		t.Errorf("changed: %+v", stat)
	}

	dir := t.TempDir()
	path, disk := filepath.Join(dir, "a.tar"), filepath.Join(dir, "a.disk")
	if err := os.WriteFile(path, tar, 0o600); err != nil {
		t.Fatal(err)
	}
	options := &tarfs.ExportOptions{Changes: changes}
	must[[]tarfs.Exported](t)(tarfs.Export(t.Context(), tarfs.ImageBlock, tarfs.Tars(path), disk, options))
	file := must[*os.File](t)(os.Open(disk))
	defer file.Close()
	info := must[fs.FileInfo](t)(file.Stat())
	image := must[*tarfs.Image](t)(tarfs.OpenImage(file, info.Size()))
	defer image.Close()
	of := must[*tarfs.Tree](t)(image.Tree(nil))
	defer of.Close()
	got := must[*tarfs.Stat](t)(of.Stat(must[uint32](t)(of.Lookup("etc/motd"))))
	if got.UID != 100000 || got.GID != 7 || !got.ModTime.Equal(changes.Latest) {
		t.Errorf("exported: %+v", got)
	}

	for name, wrong := range map[string]*tarfs.Changes{
		"a NUL":       {Exclude: []string{"a\x00b"}},
		"no owner":    {UIDOffset: -1},
		"far from it": {GIDOffset: 1 << 40},
	} {
		if other, err := tree.Change(wrong); err == nil {
			other.Close()
			t.Errorf("%s: no error", name)
		}
		options := &tarfs.ExportOptions{Changes: wrong}
		if _, err := tarfs.Export(t.Context(), tarfs.ImageBlock, tarfs.Tars(path), disk+"2", options); err == nil {
			t.Errorf("export, %s: no error", name)
		}
	}
	same := must[*tarfs.Tree](t)(tree.Change(nil))
	same.Close()
}
