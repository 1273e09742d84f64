package snapshotter_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"golang.org/x/sys/unix"
)

// smallDisk mounts a small tmpfs. Nothing on it is mounted.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("needs root, for a tmpfs")
	}
	dir := t.TempDir()
	testkit.OK(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size=4m"))
	t.Cleanup(func() { testkit.OK(t, unix.Unmount(dir, 0)) })
	return dir
}

// fill leaves nothing of a disk, until the function returned is called.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filling")
	f := testkit.Must[*os.File](t)(os.Create(path))
	for size := 1 << 20; size > 0; size /= 2 {
		for {
			if n, err := f.Write(make([]byte, size)); n < size || err != nil {
				break
			}
		}
	}
	testkit.OK(t, f.Close())
	return func() { testkit.OK(t, os.Remove(path)) }
}

// On a full disk what needs room fails, and leaves what was there as it was; when there is room again, it
// works.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t)
	n := newNode(t, filepath.Join(disk, "root"))
	base, app := tarOf(t, "base", "x"), tarOf(t, "app", strings.Repeat("x", 20000))
	top, _ := n.pull(t, "image", base)
	written := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "written", top))
	testkit.OK(t, os.WriteFile(filepath.Join(upperOf(written), "file"), bytes.Repeat([]byte("x"), 100000), 0o600))
	pulled := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "pulled", "", labels(app)))
	testkit.OK(t, n.Cleanup(t.Context()))

	free := fill(t, disk)
	before := [][]string{n.entries(t, "snapshots"), n.entries(t, "layers/sha256"), n.entries(t, "images")}
	is(t, n.apply(t.Context(), pulled, app), unix.ENOSPC)
	is(t, n.Commit(t.Context(), "committed", "written"), unix.ENOSPC)
	after := [][]string{n.entries(t, "snapshots"), n.entries(t, "layers/sha256"), n.entries(t, "images")}
	for i := range before {
		if strings.Join(after[i], " ") != strings.Join(before[i], " ") {
			t.Errorf("%q became %q", before[i], after[i])
		}
	}
	_, err := n.Stat(t.Context(), "committed")
	is(t, err, errdefs.ErrNotFound)
	testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), "written"))

	free()
	testkit.OK(t, n.apply(t.Context(), pulled, app))
	testkit.OK(t, n.Commit(t.Context(), "committed", "written"))
	testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "new", "committed"))
}

// What nobody refers to is gone when the next process starts, and so is what was written to a snapshot that had become
// a layer.
func TestOpenCollects(t *testing.T) {
	root := t.TempDir()
	n := newNode(t, root)
	top, _ := n.pull(t, "image", tarOf(t, "base", "x"))
	layer := testkit.Must[store.Layer](t)(n.layers.Ingest(t.Context(), "", bytes.NewReader(tarOf(t, "of", "nobody"))))
	layer.Release()
	mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top))
	testkit.OK(t, n.Commit(t.Context(), "committed", "container"))
	testkit.OK(t, os.WriteFile(filepath.Join(upperOf(mounts), "late"), nil, 0o600))
	for _, dir := range []string{"snapshots/.tmp-1/fs", "snapshots/gone-1/fs", "snapshots/77/fs"} {
		testkit.OK(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	n.stop(t)

	n = newNode(t, root)
	if got := n.entries(t, "snapshots"); len(got) != 2 {
		t.Errorf("%q", got)
	}
	if got := n.entries(t, "layers/sha256"); len(got) != 2 { // the base, and what changed nothing
		t.Errorf("%q", got)
	}
	if got := testkit.Must[[]os.DirEntry](t)(os.ReadDir(upperOf(mounts))); len(got) != 0 {
		t.Errorf("%v", got)
	}
	testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", "committed"))
}
