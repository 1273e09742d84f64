package applier

import (
	"context"
	"io"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// plan lays out the layer's filesystem. It has no device table: go-erofs, by which containerd 2.4 reads
// /etc/passwd, refuses one without the files of its devices.
func (e *erofs) plan(layer *tarfs.Layer) (*tarfs.Layout, error) {
	id, err := tarfs.BlobUUID(e.desc.Digest.String())
	if err != nil {
		return nil, err
	}
	return tarfs.Plan(layer.Tree, &tarfs.LayoutOptions{
		Artifact:   tarfs.DiskDataFirst,
		BlockSize:  e.BlockSize,
		UUID:       id,
		CopyBodies: e.BlockSize != 512,
	})
}

// write makes the layer's file. The tar is in a file from a byte on: that of the layer, where it only lacks its
// metadata, or another one that is copied from.
func (e *erofs) write(ctx context.Context, p *place, layout *tarfs.Layout, tar *os.File, at int64) (*os.File, error) {
	if at != tarOffset || !inPlace(layout) {
		return e.copied(ctx, p, layout, tar, at)
	}
	if len(layout.Devices()) == 0 {
		// No file has any data: the layer does without the tar.
		if err := tar.Truncate(0); err != nil {
			return nil, err
		}
	}
	if err := layout.WriteMetadata(ctx, tar); err != nil {
		return nil, err
	}
	return tar, sized(tar, layout)
}

// inPlace says whether all that the layer lacks are its metadata.
func inPlace(layout *tarfs.Layout) bool {
	for _, segment := range layout.Segments() {
		if segment.Kind == tarfs.SegmentCarried {
			return false
		}
	}
	devices := layout.Devices()
	return len(devices) == 0 || len(devices) == 1 && devices[0].DiskOffset == tarOffset
}

// copied writes the layer to a file of its own: shared with the tar where the filesystem can.
func (e *erofs) copied(ctx context.Context, p *place, layout *tarfs.Layout, tar *os.File, at int64) (*os.File, error) {
	var sources []io.ReaderAt
	for _, device := range layout.Devices() {
		if at == 0 {
			sources = append(sources, tar)
		} else {
			sources = append(sources, io.NewSectionReader(tar, at, int64(device.Bytes)))
		}
	}
	name := layerName
	if p.temps[name] {
		// The tar has this name until now. It goes when this job leaves.
		if err := p.root.Rename(tempPrefix+name, tempPrefix+"layer.tar"); err != nil {
			return nil, err
		}
		p.temps["layer.tar"] = true
	}
	f, err := p.create(name)
	if err != nil {
		return nil, err
	}
	err = layout.WriteDisk(ctx, sources, f)
	if err == nil {
		err = sized(f, layout)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// sized gives the file the length of the filesystem, of which zeros at the end may be missing.
func sized(f *os.File, layout *tarfs.Layout) error {
	return f.Truncate(int64(layout.Info().DiskBytes))
}
