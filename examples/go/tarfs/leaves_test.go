package tarfs_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// TestLeavesOfALayersTreeServeItsImage hashes an image with the leaves of a layer's sealed disk,
// without the layer's data.
func TestLeavesOfALayersTreeServeItsImage(t *testing.T) {
	noLeak(t)
	tar := baseTar(t)
	source := sources(t, tar)[0]
	defer source.Tree.Close()
	path := filepath.Join(t.TempDir(), "disk")
	made := must[[]tarfs.Exported](t)(tarfs.Export(t.Context(), tarfs.LayerBlockWithVerity, []tarfs.Source{source}, path, nil))[0]
	defer made.Verity.Close()
	file := must[*os.File](t)(os.Open(path))
	defer file.Close()
	content := must[[]byte](t)(os.ReadFile(path))

	options := &tarfs.LayoutOptions{Artifact: tarfs.DiskDataFirst}
	layout := must[*tarfs.Layout](t)(tarfs.Plan(source.Tree, options))
	defer layout.Close()
	afresh := must[*tarfs.Sealed](t)(layout.HashDisk(t.Context(), source.Devices, nil, nil, nil))
	defer afresh.Close()

	at := made.Devices[0].DiskOffset
	for _, hashes := range []io.ReaderAt{file, bytes.NewReader(content)} {
		leaves := must[*tarfs.Leaves](t)(tarfs.ReadLeaves(t.Context(), hashes, made.Verity, at, int64(len(tar)), 2))
		none := []io.ReaderAt{failing{0, errors.New("the tar is read")}}
		kept := must[*tarfs.Sealed](t)(layout.HashDisk(t.Context(), none, []*tarfs.Leaves{leaves}, nil, nil))
		if kept.Root() != afresh.Root() {
			t.Errorf("%x, want %x", kept.Root(), afresh.Root())
		}
		kept.Close()
		leaves.Close()
	}

	// Level 0 is the last one.
	info := made.Verity.Info()
	content[info.End-uint64(info.HashBlock)] ^= 1
	_, err := tarfs.ReadLeaves(t.Context(), bytes.NewReader(content), made.Verity, 0, -1, 0)
	if !errors.Is(err, tarfs.ErrMismatch) {
		t.Errorf("a tampered tree: %v", err)
	}
	_, err = tarfs.ReadLeaves(t.Context(), file, made.Verity, 1, -1, 0)
	if !errors.Is(err, tarfs.ErrInvalidArgument) {
		t.Errorf("no start of a block: %v", err)
	}
}
