package snapshotter_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/mount/manager"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	erofsmount "github.com/containerd/containerd/v2/plugins/mount/erofs"
	"github.com/containerd/continuity/fs/fstest"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// mounter is containerd's mount manager, with the handler that containerd gives it.
type mounter struct {
	mount.Manager
	dir string
	ctx context.Context
}

func newMounter(t testing.TB) *mounter {
	t.Helper()
	// Names of tests are no good in overlayfs's options.
	dir := testkit.Must[string](t)(os.MkdirTemp("", "mounter"))
	t.Cleanup(func() { testkit.OK(t, os.RemoveAll(dir)) })
	db := testkit.Must[*bolt.DB](t)(bolt.Open(filepath.Join(dir, "db"), 0o600, nil))
	m := testkit.Must[mount.Manager](t)(manager.NewManager(db, filepath.Join(dir, "targets"),
		manager.WithMountHandler("erofs", erofsmount.NewErofsMountHandler())))
	t.Cleanup(func() { testkit.OK(t, m.(interface{ Close() error }).Close()) })
	return &mounter{m, dir, namespaces.WithNamespace(context.Background(), "test")}
}

// mount mounts as containerd does for a task, and returns where.
func (m *mounter) mount(t testing.TB, name string, mounts []mount.Mount) string {
	t.Helper()
	target := filepath.Join(m.dir, name)
	testkit.OK(t, os.Mkdir(target, 0o755))
	info, err := m.Activate(m.ctx, name, mounts)
	if err == nil {
		mounts = info.System
	} else if !errdefs.IsNotImplemented(err) {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		testkit.OK(t, mount.UnmountAll(target, 0))
		if err := m.Deactivate(m.ctx, name); err != nil && !errdefs.IsNotFound(err) {
			t.Error(err)
		}
	})
	testkit.OK(t, mount.All(mounts, target))
	return target
}

// What is mounted is what containerd extracts of the same layers.
func TestAsExtracted(t *testing.T) {
	layers := [][]byte{
		tarOf(t, "etc/", "", "etc/passwd", "root", "etc/gone", "x", "opaque/", "", "opaque/lower", "x", "file", "a file"),
		tarOf(t, "etc/", "", "etc/.wh.gone", "", "opaque/", "", "opaque/.wh..wh..opq", "", "opaque/upper", "y", "file/", "", "file/inside", "z"),
		tarOf(t, "etc/", "", "etc/passwd", strings.Repeat("app\n", 3000), ".wh.nothing", ""),
	}
	want := t.TempDir()
	for _, layer := range layers {
		testkit.Must[int64](t)(archive.Apply(t.Context(), want, bytes.NewReader(layer)))
	}
	n, m := newNode(t, t.TempDir()), newMounter(t)
	top, _ := n.pull(t, "image", layers...)
	view := m.mount(t, "view", testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top)))
	testkit.OK(t, fstest.CheckDirectoryEqual(want, view))
	if err := os.WriteFile(view+"/new", nil, 0o600); err == nil {
		t.Error("a view was written to")
	}
	active := m.mount(t, "active", testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "active", top)))
	testkit.OK(t, fstest.CheckDirectoryEqual(want, active))
}

// Ten containers of an image of 120 layers start at once, write, and are committed; one of the commits is run.
func TestTenContainers(t *testing.T) {
	n, m := newNode(t, t.TempDir()), newMounter(t)
	var tars [][]byte
	for i := range 120 {
		tars = append(tars, tarOf(t, fmt.Sprintf("of-%d", i), "x", "top", fmt.Sprint(i)))
	}
	top, _ := n.pull(t, "image", tars...)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			key := fmt.Sprintf("container-%d", i)
			t.Run(key, func(t *testing.T) {
				at := m.mount(t, key, testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), key, top)))
				if got := testkit.Must[[]byte](t)(os.ReadFile(at + "/top")); string(got) != "119" {
					t.Errorf("top is %q", got)
				}
				testkit.OK(t, os.WriteFile(at+"/mine", []byte(key), 0o600))
				testkit.OK(t, os.Remove(at+"/of-0"))
			})
			if err := n.Commit(context.Background(), key+" committed", key); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	at := m.mount(t, "again", testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "again", "container-7 committed")))
	if got := testkit.Must[[]byte](t)(os.ReadFile(at + "/mine")); string(got) != "container-7" {
		t.Errorf("mine is %q", got)
	}
	if got := testkit.Must[[]fs.DirEntry](t)(os.ReadDir(at)); len(got) != 121 {
		t.Errorf("%d files", len(got))
	}
	if images := n.entries(t, "images"); len(images) != 2 {
		t.Errorf("%d images for two chains", len(images))
	}
}

// Owners are mapped as containerd asks by labels: in a container, and in a view.
func TestMappedOwners(t *testing.T) {
	n, m := newNode(t, t.TempDir()), newMounter(t)
	top, _ := n.pull(t, "image", tarOf(t, "file", "x"))
	mapped := snapshots.WithLabels(map[string]string{
		snapshots.LabelSnapshotUIDMapping: "0:100000:65536", snapshots.LabelSnapshotGIDMapping: "0:200000:65536",
	})
	view := m.mount(t, "view", testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top, mapped)))
	container := m.mount(t, "container", testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top, mapped)))
	alone := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "alone", "", mapped))
	for _, path := range []string{view + "/file", container + "/file", container, alone[0].Source} {
		var stat unix.Stat_t
		testkit.OK(t, unix.Lstat(path, &stat))
		if stat.Uid != 100000 || stat.Gid != 200000 {
			t.Errorf("%s: %d:%d", path, stat.Uid, stat.Gid)
		}
	}
	// What was written is owned by the mapped users: a layer of it would have them.
	is(t, n.Commit(t.Context(), "committed", "alone"), errdefs.ErrNotImplemented)

	for _, bad := range [][2]string{{"0:1", "0:1:1"}, {"0:1:1", ""}, {"1:1:1", "0:1:1"}, {"0:x:1", "0:1:1"}, {"0:1:0", "0:1:1"}, {"0:-1:1", "0:1:1"}} {
		_, err := n.Prepare(t.Context(), "bad", top, snapshots.WithLabels(map[string]string{
			snapshots.LabelSnapshotUIDMapping: bad[0], snapshots.LabelSnapshotGIDMapping: bad[1],
		}))
		is(t, err, errdefs.ErrInvalidArgument)
	}
}

// The longest root that the store takes is one that is mounted.
func TestLongRoot(t *testing.T) {
	dir := testkit.Must[string](t)(os.MkdirTemp("", "root"))
	t.Cleanup(func() { testkit.OK(t, os.RemoveAll(dir)) })
	root := filepath.Join(dir, strings.Repeat("x", 166-len(dir)-1))
	if _, err := store.Open(root+"x", store.Options{}); err == nil {
		t.Error("a longer one was taken")
	}
	n, m := newNode(t, root), newMounter(t)
	top, _ := n.pull(t, "image", tarOf(t, "file", strings.Repeat("content", 1000)))
	view := m.mount(t, "view", testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top)))
	if got := testkit.Must[[]byte](t)(os.ReadFile(view + "/file")); len(got) != 7000 {
		t.Errorf("%d bytes", len(got))
	}
}
