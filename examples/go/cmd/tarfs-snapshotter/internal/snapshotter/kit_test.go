package snapshotter_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/opencontainers/go-digest"
)

func must2[T, U any](one T, two U, err error) func(testing.TB) (T, U) {
	return func(t testing.TB) (T, U) {
		t.Helper()
		testkit.OK(t, err)
		return one, two
	}
}

func is(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%v, not %v", err, want)
	}
}

// node is a store and its snapshotter, as one daemon has them.
type node struct {
	*snapshotter.Snapshotter
	layers *store.Store
	root   string
}

// newNode opens what is in a directory. It ends with the test, or by stop.
func newNode(t testing.TB, root string) *node {
	t.Helper()
	return newNodeWith(t, root, snapshotter.Options{})
}

func newNodeWith(t testing.TB, root string, options snapshotter.Options) *node {
	t.Helper()
	layers := testkit.Must[*store.Store](t)(store.Open(root, store.Options{}))
	sn, err := snapshotter.New(t.Context(), layers, options)
	if err != nil {
		layers.Close()
		t.Fatal(err)
	}
	n := &node{sn, layers, root}
	t.Cleanup(func() { n.stop(t) })
	return n
}

func (n *node) stop(t testing.TB) {
	t.Helper()
	testkit.OK(t, errors.Join(n.Close(), n.layers.Close()))
}

// tarOf makes a tar of names and contents, by turns. A name that ends in a slash is a directory.
func tarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1])), Format: tar.FormatPAX}
		if strings.HasSuffix(h.Name, "/") {
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		}
		testkit.OK(t, w.WriteHeader(h))
		testkit.Must[int](t)(w.Write([]byte(files[i+1])))
	}
	testkit.OK(t, w.Close())
	return out.Bytes()
}

// labels are those by which containerd prepares a layer of an image.
func labels(tar []byte) snapshots.Opt {
	id := digest.FromBytes(tar).String()
	return snapshots.WithLabels(map[string]string{
		snapshots.LabelSnapshotRef: "chain of " + id, snapshots.LabelSnapshotDiffID: id,
	})
}

// apply puts a layer where mounts say, as the differ does.
func (n *node) apply(ctx context.Context, mounts []mount.Mount, tar []byte) error {
	id, mine := n.Target(mounts)
	if !mine {
		return errors.New("not a target")
	}
	layer, err := n.layers.Ingest(ctx, "", bytes.NewReader(tar))
	if err != nil {
		return err
	}
	defer layer.Release()
	return n.Applied(ctx, id, layer)
}

// pull makes the snapshots of an image, as containerd does that unpacks in parallel: parents come with the commit. It
// returns the name of the topmost, and how many layers had to be applied.
func (n *node) pull(t testing.TB, name string, tars ...[]byte) (top string, applied int) {
	t.Helper()
	for _, tar := range tars {
		key := "extract " + name + digest.FromBytes(tar).String()
		mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), key, "", labels(tar)))
		if !mounts[len(mounts)-1].ReadOnly() {
			testkit.OK(t, n.apply(t.Context(), mounts, tar))
			applied++
		}
		parent := top
		top += "/" + name + digest.FromBytes(tar).Encoded()[:8]
		testkit.OK(t, n.Commit(t.Context(), top, key, labels(tar), snapshots.WithParent(parent)))
	}
	return top, applied
}

// entries are the names in a directory below the root.
func (n *node) entries(t testing.TB, dir string) (names []string) {
	t.Helper()
	for _, entry := range testkit.Must[[]fs.DirEntry](t)(os.ReadDir(filepath.Join(n.root, dir))) {
		names = append(names, entry.Name())
	}
	return names
}

// deviceFiles are the files that the first of some mounts takes as devices.
func deviceFiles(mounts []mount.Mount) (paths []string) {
	for _, option := range mounts[0].Options {
		if path, found := strings.CutPrefix(option, "device="); found {
			paths = append(paths, path)
		}
	}
	return paths
}
