package applier

import (
	"context"
	"errors"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/attached"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// Own is the snapshotter of this process, and where it keeps layers.
type Own struct {
	Snapshotter *snapshotter.Snapshotter
	Layers      *store.Store
	// Attached finds what came with images; nil where nothing is looked for.
	Attached *attached.Finder
}

// ownSnapshot is a snapshot of it, whose layer is kept by its diffID.
type ownSnapshot struct {
	*Own
	id string
}

func (o ownSnapshot) name() string { return o.Snapshotter.Path(o.id) }

func (o ownSnapshot) there(ctx context.Context) (made ocispec.Descriptor, ok bool, err error) {
	layer, known, err := o.Snapshotter.Known(ctx, o.id)
	if err != nil || !known {
		return made, false, err
	}
	defer layer.Release()
	return ofTar(layer.DiffID, layer.Size), true, nil
}

func (o ownSnapshot) look(ctx context.Context, j *job) error {
	if o.Attached == nil {
		return nil
	}
	chain, err := o.Snapshotter.Chain(ctx, o.id)
	if err != nil {
		return err
	}
	if j.attached, err = o.Attached.Layer(ctx, j.desc.Digest, chain); err != nil || j.attached == "" {
		return err
	}
	j.release, err = o.Layers.Hold(j.attached)
	return err
}

// make keeps the layer. It is held until the snapshot refers to it.
func (o ownSnapshot) make(ctx context.Context, j *job, tar *source) (made ocispec.Descriptor, err error) {
	var layer store.Layer
	if j.attached != "" {
		layer, err = o.Layers.IngestPlain(ctx, j.attached, tar)
	} else {
		layer, err = o.Layers.Ingest(ctx, "", tar)
	}
	defer layer.Release()
	if err := tar.explained(err); err != nil {
		if errors.Is(err, tarfs.ErrIO) {
			err = fmt.Errorf("%s: %w", o.Layers.Root(), err)
		}
		return made, err
	}
	if err := o.Snapshotter.Ready(ctx, layer); err != nil {
		return made, err
	}
	return ofTar(layer.DiffID, layer.Size), o.Snapshotter.Applied(ctx, o.id, layer)
}
