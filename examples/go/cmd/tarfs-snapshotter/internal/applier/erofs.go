package applier

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/dropped"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// tarOffset is where in the layer its tar starts, with blocks of 512 bytes: behind the superblock.
const tarOffset = 4096

// inSnapshot is the directory of a snapshot of containerd's EROFS snapshotter, which gets a layer.erofs.
type inSnapshot string

func (dir inSnapshot) name() string { return string(dir) }

// there says that one is always made: a snapshot whose layer is there is read-only.
func (dir inSnapshot) there(context.Context) (made ocispec.Descriptor, ok bool, err error) {
	return made, false, nil
}

// look looks for nothing: what is attached is for the daemon's own snapshotter.
func (dir inSnapshot) look(context.Context, *job) error { return nil }

func (dir inSnapshot) make(ctx context.Context, j *job, tar *source) (made ocispec.Descriptor, err error) {
	e := &erofs{job: j}
	if j.Verity != "" {
		if e.params, err = tarfs.Preset(j.Verity); err != nil {
			return made, err
		}
		e.params.Placement = tarfs.HashBehindData
	}
	p, err := enter(string(dir))
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, p.leave()) }()
	info, err := e.make(ctx, tar, p)
	if err != nil {
		return made, err
	}
	return ofTar(digest.NewDigestFromEncoded(digest.SHA256, hex.EncodeToString(info.DiffID[:])), int64(info.Bytes)), nil
}

// erofs is a layer.erofs that is made.
type erofs struct {
	*job
	params *tarfs.VerityParams
}

// make writes the layer, and publishes it.
func (e *erofs) make(ctx context.Context, from *source, p *place) (info tarfs.LayerInfo, err error) {
	tar, at, err := e.tarFile(p)
	if err != nil {
		return info, err
	}
	defer tar.Close()
	streamed := e.Metrics.Stage("stream")
	layer, err := e.stream(ctx, from, tar, at)
	if err != nil {
		return info, err
	}
	defer layer.Close()
	streamed()
	written := e.Metrics.Stage("index")
	layout, err := e.plan(layer)
	if err != nil {
		return info, err
	}
	defer layout.Close()
	f, err := e.write(ctx, p, layout, tar, at)
	if err != nil {
		return info, fmt.Errorf("%s: %w", p.dir, err)
	}
	defer f.Close()
	written()
	if e.params != nil {
		sealed := e.Metrics.Stage("verity")
		if err := e.seal(ctx, p, layer, layout, f); err != nil {
			return info, fmt.Errorf("%s: %w", p.dir, err)
		}
		sealed()
	}
	defer e.Metrics.Stage("sync")()
	if err := f.Sync(); err != nil {
		return info, err
	}
	return layer.Info, p.publish()
}

// tarFile is the file that the tar goes to, and where in it: the layer itself, if bodies can stay as they lie.
func (e *erofs) tarFile(p *place) (*os.File, int64, error) {
	if e.BlockSize == 512 {
		f, err := p.create(layerName)
		return f, tarOffset, err
	}
	f, err := p.create("layer.tar")
	return f, 0, err
}

// stream reads the tar into a layer, and into the file.
func (e *erofs) stream(ctx context.Context, from *source, tar *os.File, at int64) (*tarfs.Layer, error) {
	opts := &tarfs.LayerOptions{
		DiffID:            true,
		DropUnknownXattrs: !e.Strict,
		Limits:            e.Limits,
		Strict:            e.Strict,
		Tee:               tar,
		TeeOffset:         at,
	}
	if at == tarOffset {
		opts.Leaves = e.params
	}
	w, err := tarfs.NewLayerWriter(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	_, err = io.Copy(w, from)
	if err := from.explained(err); err != nil {
		if errors.Is(err, tarfs.ErrIO) {
			err = fmt.Errorf("%s: %w", tar.Name(), err)
		}
		return nil, err
	}
	layer, err := w.Finish()
	if err != nil {
		return nil, err
	}
	dropped.Report(e.Log, e.Metrics, e.desc.Digest, layer.Info)
	return layer, nil
}
