package comparer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/pkg/labels"
	"github.com/containerd/errdefs"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/uppertar"
)

// upload is one layer on its way into the content store.
type upload struct {
	store    content.Store
	config   *diff.Config
	compress func(io.Writer) (io.WriteCloser, error)
	upper    string
}

// compressor is how layers of a media type are compressed.
func compressor(mediaType string) (func(io.Writer) (io.WriteCloser, error), error) {
	switch mediaType {
	case ocispec.MediaTypeImageLayer:
		return func(w io.Writer) (io.WriteCloser, error) { return unclosed{w}, nil }, nil
	case ocispec.MediaTypeImageLayerGzip:
		return func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }, nil
	case ocispec.MediaTypeImageLayerZstd:
		return func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		}, nil
	}
	return nil, fmt.Errorf("media type %q for changes: %w", mediaType, errdefs.ErrNotImplemented)
}

type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// run writes the layer. Of one that fails nothing is left, unless the caller has a name for it.
func (u *upload) run(ctx context.Context) (made ocispec.Descriptor, err error) {
	ref, own := u.config.Reference, false
	if ref == "" {
		ref, own = "tarfs-"+rand.Text(), true
	}
	w, err := u.store.Writer(ctx, content.WithRef(ref), content.WithDescriptor(ocispec.Descriptor{MediaType: u.config.MediaType}))
	if err != nil {
		return made, fmt.Errorf("content store: %w", err)
	}
	defer func() {
		w.Close()
		if err != nil && own {
			// It goes too if the caller has gone.
			u.store.Abort(context.WithoutCancel(ctx), ref)
		}
	}()
	if err := w.Truncate(0); err != nil {
		return made, fmt.Errorf("content store: %w", err)
	}
	diffID, err := u.write(ctx, w)
	if err != nil {
		return made, err
	}
	return u.commit(ctx, w, diffID)
}

// write writes the compressed tar, and returns the digest of the tar.
func (u *upload) write(ctx context.Context, w io.Writer) (digest.Digest, error) {
	compressed, err := u.compress(w)
	if err != nil {
		return "", err
	}
	digester := digest.Canonical.Digester()
	opts := &uppertar.Options{}
	if u.config.SourceDateEpoch != nil {
		opts.Latest = *u.config.SourceDateEpoch
	}
	err = uppertar.Write(ctx, io.MultiWriter(compressed, digester.Hash()), u.upper, opts)
	return digester.Digest(), errors.Join(err, compressed.Close())
}

// commit gives the blob its name, and its label, which one that was there before may lack.
func (u *upload) commit(ctx context.Context, w content.Writer, diffID digest.Digest) (made ocispec.Descriptor, err error) {
	with := map[string]string{labels.LabelUncompressed: diffID.String()}
	for key, value := range u.config.Labels {
		with[key] = value
	}
	id := w.Digest()
	if err := w.Commit(ctx, 0, id, content.WithLabels(with)); err != nil && !errdefs.IsAlreadyExists(err) {
		return made, fmt.Errorf("content store: %w", err)
	}
	info, err := u.store.Info(ctx, id)
	if err != nil {
		return made, fmt.Errorf("content store: %w", err)
	}
	if info.Labels[labels.LabelUncompressed] == "" {
		missing := content.Info{Digest: id, Labels: map[string]string{labels.LabelUncompressed: diffID.String()}}
		if _, err := u.store.Update(ctx, missing, "labels."+labels.LabelUncompressed); err != nil {
			return made, fmt.Errorf("content store: label: %w", err)
		}
	}
	return ocispec.Descriptor{MediaType: u.config.MediaType, Size: info.Size, Digest: id}, nil
}
