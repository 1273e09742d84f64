package applier

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// seal puts the hash tree behind the filesystem, and writes the sidecar.
func (e *erofs) seal(ctx context.Context, p *place, layer *tarfs.Layer, layout *tarfs.Layout, f *os.File) error {
	sealed, err := e.tree(ctx, layer, layout, f)
	if err != nil {
		return fmt.Errorf("hash tree: %w", err)
	}
	defer sealed.Close()
	e.root = sealed.RootHex()
	sidecar, err := p.create(sidecarName)
	if err != nil {
		return err
	}
	defer sidecar.Close()
	if _, err := sidecar.WriteString(sealed.ContainerdJSON()); err != nil {
		return err
	}
	return sidecar.Sync()
}

// tree hashes the layer into its own file. The tar's blocks were hashed as they came, if it lies in the layer as it
// is; else the layer is read again, on several threads.
func (e *erofs) tree(ctx context.Context, layer *tarfs.Layer, layout *tarfs.Layout, f *os.File) (*tarfs.Sealed, error) {
	size := int64(layout.Info().DiskBytes)
	padding, err := e.params.Padding(uint64(size))
	if err != nil {
		return nil, err
	}
	// Linux reads the data block by block, so the last one is whole.
	if err := f.Truncate(size + int64(padding)); err != nil {
		return nil, err
	}
	devices := layout.Devices()
	if layer.Leaves == nil || !inPlace(layout) || len(devices) == 0 {
		return tarfs.Seal(ctx, f, size+int64(padding), e.params, f, 0)
	}
	tar := io.NewSectionReader(f, tarOffset, int64(devices[0].Bytes))
	return layout.HashDisk(ctx, []io.ReaderAt{tar}, []*tarfs.Leaves{layer.Leaves}, e.params, f)
}
