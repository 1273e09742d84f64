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

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/unpack"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// tarOffset is where in the layer its tar starts, with blocks of 512 bytes: behind the superblock.
const tarOffset = 4096

// job is one layer that is made.
type job struct {
	*Options
	desc       ocispec.Descriptor
	dir        string
	compressed bool
	progress   func(int64)

	params *tarfs.VerityParams
	// The root hash, once there is one.
	root string
}

func (j *job) run(ctx context.Context) (made ocispec.Descriptor, err error) {
	b, err := j.open(ctx)
	if err != nil {
		return made, err
	}
	defer b.Close()
	if j.Verity != "" {
		if j.params, err = tarfs.Preset(j.Verity); err != nil {
			return made, err
		}
		j.params.Placement = tarfs.HashBehindData
	}
	p, err := enter(j.dir)
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, p.leave()) }()
	info, err := j.make(ctx, b, p)
	if err != nil {
		return made, err
	}
	return ocispec.Descriptor{
		MediaType: ocispec.MediaTypeImageLayer,
		Size:      int64(info.Bytes),
		Digest:    digest.NewDigestFromEncoded(digest.SHA256, hex.EncodeToString(info.DiffID[:])),
	}, nil
}

// make writes the layer, and publishes it.
func (j *job) make(ctx context.Context, b *blob, p *place) (info tarfs.LayerInfo, err error) {
	tar, at, err := j.tarFile(p)
	if err != nil {
		return info, err
	}
	defer tar.Close()
	streamed := j.Metrics.Stage("stream")
	layer, err := j.stream(ctx, b, tar, at)
	if err != nil {
		return info, err
	}
	defer layer.Close()
	streamed()
	written := j.Metrics.Stage("index")
	layout, err := j.plan(layer)
	if err != nil {
		return info, err
	}
	defer layout.Close()
	f, err := j.write(ctx, p, layout, tar, at)
	if err != nil {
		return info, fmt.Errorf("%s: %w", p.dir, err)
	}
	defer f.Close()
	written()
	if j.params != nil {
		sealed := j.Metrics.Stage("verity")
		if err := j.seal(ctx, p, layer, layout, f); err != nil {
			return info, fmt.Errorf("%s: %w", p.dir, err)
		}
		sealed()
	}
	defer j.Metrics.Stage("sync")()
	if err := f.Sync(); err != nil {
		return info, err
	}
	return layer.Info, p.publish()
}

// tarFile is the file that the tar goes to, and where in it: the layer itself, if bodies can stay as they lie.
func (j *job) tarFile(p *place) (*os.File, int64, error) {
	if j.BlockSize == 512 {
		f, err := p.create(layerName)
		return f, tarOffset, err
	}
	f, err := p.create("layer.tar")
	return f, 0, err
}

// stream unpacks the blob into a layer, and its tar into the file. What is wrong with the blob is said rather than
// what is wrong with a tar that came out of it.
func (j *job) stream(ctx context.Context, b *blob, tar *os.File, at int64) (*tarfs.Layer, error) {
	opts := &tarfs.LayerOptions{
		DiffID:            true,
		DropUnknownXattrs: !j.Strict,
		Strict:            j.Strict,
		Tee:               tar,
		TeeOffset:         at,
	}
	if at == tarOffset {
		opts.Leaves = j.params
	}
	w, err := tarfs.NewLayerWriter(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	err = j.pump(ctx, w, b)
	switch {
	case b.failed != nil:
		return nil, fmt.Errorf("blob: %w", b.failed)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, tarfs.ErrIO):
		return nil, fmt.Errorf("%s: %w", tar.Name(), err)
	case errors.Is(err, errTooLarge):
		return nil, err // the rest is not read
	}
	if bad := b.verify(); bad != nil {
		return nil, bad
	}
	if err != nil {
		return nil, err
	}
	layer, err := w.Finish()
	if err != nil {
		return nil, err
	}
	j.report(layer.Info)
	return layer, nil
}

var errTooLarge = errors.New("the tar is larger than max_layer_bytes allows")

func (j *job) pump(ctx context.Context, w io.Writer, b *blob) error {
	var r io.Reader = b
	if j.compressed {
		plain, err := unpack.With(ctx, j.Gunzip, b)
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		// From then on nobody else reads the blob.
		defer plain.Close()
		r = plain
	}
	if j.MaxLayerBytes > 0 {
		r = io.LimitReader(r, j.MaxLayerBytes+1)
	}
	n, err := io.Copy(w, r)
	var ours *tarfs.Error
	switch {
	case err != nil && !errors.As(err, &ours):
		return fmt.Errorf("unpack: %w", err)
	case err == nil && j.MaxLayerBytes > 0 && n > j.MaxLayerBytes:
		return fmt.Errorf("%w: %d bytes", errTooLarge, j.MaxLayerBytes)
	}
	return err
}

// report says what the layer does not have as its tar has it.
func (j *job) report(info tarfs.LayerInfo) {
	for _, row := range []struct {
		count      uint64
		kind, what string
	}{
		{info.DroppedXattrs, "xattr", "extended attributes of namespaces that EROFS has not were dropped"},
		{info.DroppedACLs, "acl", "access control lists without numbers were dropped"},
		{info.UnsetOwners, "owner", "entries with owner 4294967295 got owner 0"},
	} {
		if row.count > 0 {
			j.Log.Warn(row.what, "layer", j.desc.Digest, "count", row.count)
			j.Metrics.Dropped(row.kind, row.count)
		}
	}
}
