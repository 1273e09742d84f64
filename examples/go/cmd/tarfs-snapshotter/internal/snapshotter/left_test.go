package snapshotter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"golang.org/x/sys/unix"
)

// A commit that was killed before it mounted the container's filesystem, or after it was unmounted, leaves an empty
// directory. The next process commits all the same.
func TestCommitKilledBesideMount(t *testing.T) {
	root := t.TempDir()
	n := newNodeWith(t, root, snapshotter.Options{DefaultSize: 16 << 20})
	top, _ := n.pull(t, "image", tarOf(t, "lower", "x"))
	mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "key", top))
	testkit.OK(t, os.Mkdir(filepath.Join(filepath.Dir(mounts[0].Source), "committing"), 0o700))
	n.stop(t)
	n = newNodeWith(t, root, snapshotter.Options{DefaultSize: 16 << 20})
	testkit.OK(t, n.Commit(t.Context(), "committed", "key"))
}

// Snapshots without their metadata are not taken for left over: what containers wrote is in them.
func TestMetadataGone(t *testing.T) {
	root := t.TempDir()
	n := newNode(t, root)
	mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "key", ""))
	testkit.OK(t, os.WriteFile(filepath.Join(mounts[0].Source, "written"), []byte("x"), 0o644))
	n.stop(t)
	testkit.OK(t, os.Rename(filepath.Join(root, "metadata.db"), filepath.Join(root, "away")))
	layers := testkit.Must[*store.Store](t)(store.Open(root, store.Options{}))
	_, err := snapshotter.New(t.Context(), layers, snapshotter.Options{})
	testkit.OK(t, layers.Close())
	if err == nil || !strings.Contains(err.Error(), "metadata.db is not there") {
		t.Fatalf("%v", err)
	}
	testkit.OK(t, os.Rename(filepath.Join(root, "away"), filepath.Join(root, "metadata.db")))
	n = newNode(t, root)
	if _, err := os.Stat(filepath.Join(mounts[0].Source, "written")); err != nil {
		t.Error(err)
	}
	testkit.OK(t, n.Commit(t.Context(), "committed", "key"))
}

// What others mounted is left alone: snapshots may be on a disk of their own.
func TestOthersMountsStay(t *testing.T) {
	root := plainRoot(t)
	dir := filepath.Join(root, "snapshots")
	testkit.OK(t, os.Mkdir(dir, 0o700))
	testkit.OK(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700"))
	n := newNode(t, root)
	testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "key", ""))
	n.stop(t)
	n = newNode(t, root)
	if !slices.Contains(mounted(t, root), dir) {
		t.Error("unmounted")
	}
	testkit.OK(t, n.Commit(t.Context(), "committed", "key"))
	n.stop(t)
}

// An image on which nothing stands any more, and which somebody still looks at, does not keep the daemon from starting.
func TestStartsBesideMountInUse(t *testing.T) {
	root := plainRoot(t)
	plain := snapshotter.Options{Plain: true}
	n := newNodeWith(t, root, plain)
	top, _ := n.pull(t, "image", tarOf(t, "file", "content"))
	testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top))
	at := filepath.Join(root, "mounts", n.entries(t, "images")[0])
	looks := testkit.Must[*os.File](t)(os.Open(at + "/file"))
	defer looks.Close()
	testkit.OK(t, n.Remove(t.Context(), "view"))
	testkit.OK(t, n.Cleanup(t.Context()))
	n.stop(t)
	n = newNodeWith(t, root, plain)
	looks.Close()
	testkit.OK(t, n.Cleanup(t.Context()))
	if left := mounted(t, root); len(left) > 0 {
		t.Error(left)
	}
}

// To remove a snapshot needs no room on the disk.
func TestRemoveOnFullDisk(t *testing.T) {
	disk := t.TempDir()
	testkit.OK(t, unix.Mount("tmpfs", disk, "tmpfs", 0, "mode=0700,size=4m,nr_inodes=100"))
	t.Cleanup(func() { testkit.OK(t, unix.Unmount(disk, 0)) })
	n := newNode(t, filepath.Join(disk, "root"))
	testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "key", ""))
	for i := 0; ; i++ {
		if err := os.Mkdir(fmt.Sprint(disk, "/filling", i), 0o700); err != nil {
			is(t, err, unix.ENOSPC)
			break
		}
	}
	testkit.OK(t, n.Remove(t.Context(), "key"))
	if left := n.entries(t, "snapshots"); len(left) > 0 {
		t.Error(left)
	}
}

// Where the layer of a committed snapshot is missing, what a kill left of what was written to it is all that there is.
func TestLastCopyStays(t *testing.T) {
	root := t.TempDir()
	n := newNode(t, root)
	mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "key", ""))
	file := filepath.Join(upperOf(mounts), "file")
	testkit.OK(t, os.WriteFile(file, []byte("mine"), 0o600))
	testkit.OK(t, n.Commit(t.Context(), "committed", "key"))
	testkit.OK(t, os.WriteFile(file, []byte("mine"), 0o600)) // as if the commit had been killed before it was removed
	n.stop(t)
	testkit.OK(t, os.Truncate(filepath.Join(root, "layers/sha256", n.entries(t, "layers/sha256")[0], "layer.tar"), 0))
	newNode(t, root)
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// Labels of a layer that is unpacked come from the image, as annotations of its manifest. They do not say who owns what:
// the snapshot is that of all images which begin with the same layers.
func TestUnpackIsNotMapped(t *testing.T) {
	n := newNode(t, t.TempDir())
	layer := tarOf(t, "file", "x")
	hostile := func(info *snapshots.Info) error {
		info.Labels[snapshots.LabelSnapshotUIDMapping], info.Labels[snapshots.LabelSnapshotGIDMapping] = "0:1000:1", "0:1000:1"
		return nil
	}
	mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "extract", "", labels(layer), hostile))
	testkit.OK(t, n.apply(t.Context(), mounts, layer))
	testkit.OK(t, n.Commit(t.Context(), "image", "extract"))
	mounts = testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", "image"))
	var stat unix.Stat_t
	testkit.OK(t, unix.Stat(upperOf(mounts), &stat))
	if stat.Uid != 0 || stat.Gid != 0 {
		t.Errorf("a container's root is owned by %d:%d", stat.Uid, stat.Gid)
	}
}
