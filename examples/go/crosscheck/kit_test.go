package crosscheck

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		ok(t, err)
		return value
	}
}

// without ends a test that needs what is not there: in CI it fails.
func without(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI without %s", what)
	}
	t.Skipf("needs %s", what)
}

// memory is a file in memory.
type memory []byte

func (m *memory) WriteAt(p []byte, offset int64) (int, error) {
	if end := int(offset) + len(p); end > len(*m) {
		*m = append(*m, make([]byte, end-len(*m))...)
	}
	return copy((*m)[offset:], p), nil
}

func (m memory) ReadAt(p []byte, offset int64) (int, error) {
	return bytes.NewReader(m).ReadAt(p, offset)
}

// layer is a tar, indexed.
type layer struct {
	*tarfs.Layer
	tar io.ReaderAt
}

// indexed makes a layer of a tar in memory. It may fail.
func indexed(t testing.TB, data []byte) (layer, error) {
	t.Helper()
	w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(t.Context(), &tarfs.LayerOptions{TagDiffID: true, KeepPending: true}))
	defer w.Close()
	if _, err := w.Write(data); err != nil {
		return layer{}, err
	}
	made, err := w.Finish()
	if err != nil {
		return layer{}, err
	}
	t.Cleanup(func() { made.Close() })
	return layer{made, bytes.NewReader(data)}, nil
}

// hasPending says that a hard link waits for a lower layer: such a layer has no image of its own.
func (l layer) hasPending(t testing.TB) bool {
	t.Helper()
	for inode := range l.Tree.Info().Inodes {
		if must[*tarfs.Stat](t)(l.Tree.Stat(uint32(inode))).Flags&tarfs.Pending != 0 {
			return true
		}
	}
	return false
}

// realLayers are the tars of the image that tests/fixtures/real-image.sh made, lowest first.
func realLayers(t testing.TB) (paths []string) {
	t.Helper()
	dir := os.Getenv("TARFS_FIXTURES")
	if dir == "" {
		without(t, "TARFS_FIXTURES, where tests/fixtures/real-image.sh put a real image")
	}
	paths = must[[]string](t)(filepath.Glob(filepath.Join(dir, "real-image/layers/*.tar")))
	if len(paths) == 0 {
		t.Fatalf("no layers in %s", dir)
	}
	slices.Sort(paths)
	return paths
}

// realImage indexes them.
func realImage(t testing.TB) (layers []layer) {
	t.Helper()
	for _, path := range realLayers(t) {
		f := must[*os.File](t)(os.Open(path))
		t.Cleanup(func() { f.Close() })
		made := must[*tarfs.Layer](t)(tarfs.IndexFile(t.Context(), f, &tarfs.LayerOptions{TagDiffID: true, KeepPending: true}))
		t.Cleanup(func() { made.Close() })
		layers = append(layers, layer{made, f})
	}
	return layers
}

// image is a tree, and the files of its devices.
type image struct {
	tree    *tarfs.Tree
	devices []io.ReaderAt
}

// merged merges layers; one alone stays what it is, with its whiteouts.
func merged(t testing.TB, layers ...layer) image {
	t.Helper()
	var trees []*tarfs.Tree
	for _, l := range layers {
		trees = append(trees, l.Tree)
	}
	made := image{tree: trees[0]}
	if len(trees) > 1 {
		made.tree = must[*tarfs.Tree](t)(tarfs.Merge(trees, nil))
		t.Cleanup(func() { made.tree.Close() })
	}
	for _, device := range must[[]tarfs.Device](t)(made.tree.Devices()) {
		made.devices = append(made.devices, layers[device.Origin.Layer].tar)
	}
	return made
}
