// Package comparer is containerd's diff.Comparer for containers on its EROFS snapshotter and on the snapshotter of this
// process: what a container changed becomes a layer in the content store.
//
// The changes are read from the upper directory alone, by package uppertar: neither side is mounted, and no file of
// the lower layers is read. So the lower mounts must be the layers that the container stands on. What this does not
// hold for, such as read-only views, containers whose writable part is a filesystem in a file, and upper
// directories that can't be read without the lower ones, is errdefs.ErrNotImplemented: containerd then asks its next
// differ.
package comparer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/uppertar"
)

// Options is where layers go.
type Options struct {
	// Content is containerd's content store.
	Content content.Store
	// Leases are containerd's, for calls that come without a lease; nil for none.
	Leases leases.Manager
	// Own says to which snapshot of the snapshotter of this process mounts belong; nil for none.
	Own func(mounts []mount.Mount) (id string, ok bool)
	// Log is where to; nil for the default.
	Log *slog.Logger
	// Metrics count; nil for none.
	Metrics *metrics.Metrics
}

// Comparer makes layers of changes. It is for any number of goroutines.
type Comparer struct{ opts Options }

var _ diff.Comparer = (*Comparer)(nil)

// New makes one.
func New(opts Options) *Comparer {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	return &Comparer{opts}
}

// Compare writes what upper changed of lower into the content store. It returns the layer's descriptor; the label
// "containerd.io/uncompressed" of the blob is the diffID.
func (c *Comparer) Compare(ctx context.Context, lower, upper []mount.Mount, opts ...diff.Opt) (ocispec.Descriptor, error) {
	config := diff.Config{MediaType: ocispec.MediaTypeImageLayerGzip}
	for _, opt := range opts {
		if err := opt(&config); err != nil {
			return ocispec.Descriptor{}, err
		}
	}
	dir, err := c.upperOf(lower, upper)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	compress, err := compressor(config.MediaType)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	started := time.Now()
	u := &upload{store: c.opts.Content, config: &config, compress: compress, upper: dir}
	ctx, drop, err := c.leased(ctx)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	made, err := u.run(ctx)
	if err != nil {
		drop()
	}
	if errors.Is(err, uppertar.ErrUnsupported) {
		c.opts.Log.Info("changes can't be read alone, another differ is asked", "upper", dir, "why", err)
		return ocispec.Descriptor{}, fmt.Errorf("tarfs-snapshotter: %w: %w", err, errdefs.ErrNotImplemented)
	}
	c.opts.Metrics.Compare(err)
	if err != nil {
		c.opts.Log.Error("changes not written", "upper", dir, "error", err)
		return ocispec.Descriptor{}, fmt.Errorf("tarfs-snapshotter: changes in %s: %w", dir, err)
	}
	c.opts.Log.Info("changes written", "upper", dir, "layer", made.Digest, "bytes", made.Size, "took", time.Since(started))
	return made, nil
}
