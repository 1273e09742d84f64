package applier

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/mount"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// Options is how layers are made.
type Options struct {
	// ContentRoot is the directory of containerd's content store, in which blobs are "blobs/sha256/HEX". Empty for
	// none.
	ContentRoot string
	// Content is asked for blobs that are not there. It may be nil.
	Content content.Provider
	// Concurrent is how many layers are made at the same time; others wait. 0 for as many as there are cores, up
	// to 8: more would wait for the disk.
	Concurrent int
	// BlockSize is that of the filesystem: 512 or 4096 bytes; 0 for what Verity needs, or 512.
	BlockSize uint32
	// Verity is the preset of the hash tree, "containerd" or "containerd-4k"; empty for none.
	Verity string
	// Gunzip is the program that undoes gzip; empty for Go's library.
	Gunzip string
	// MaxLayerBytes is the most bytes of a layer's tar; 0 for no limit.
	MaxLayerBytes int64
	// Limits are how much a layer may cost.
	Limits tarfs.Limits
	// Strict refuses what EROFS can't hold, or readers of tars disagree about, instead of dropping or choosing.
	Strict bool
	// Own is the snapshotter of this process; nil for none.
	Own *Own
	// Log is where to; nil for the default.
	Log *slog.Logger
	// Metrics count; nil for none.
	Metrics *metrics.Metrics
}

// Applier makes layers. It is for any number of goroutines.
type Applier struct {
	opts  Options
	slots chan struct{}
}

var _ diff.Applier = (*Applier)(nil)

// New checks the options.
func New(opts Options) (*Applier, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	return &Applier{opts: opts, slots: make(chan struct{}, opts.Concurrent)}, nil
}

func (o *Options) complete() error {
	if o.Concurrent < 0 || o.MaxLayerBytes < 0 {
		return fmt.Errorf("a negative number of layers or bytes")
	}
	if o.Concurrent == 0 {
		o.Concurrent = min(runtime.NumCPU(), 8)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.ContentRoot == "" && o.Content == nil {
		return fmt.Errorf("neither a content root nor a content service: there is nowhere to read layers from")
	}
	return o.completeForm()
}

// completeForm holds block size and hash tree against each other: Linux mounts no filesystem whose blocks are
// smaller than those of the device.
func (o *Options) completeForm() error {
	needs := uint32(512)
	switch o.Verity {
	case "", "containerd":
	case "containerd-4k":
		needs = 4096
	default:
		return fmt.Errorf("no hash tree %q: there are \"containerd\" and \"containerd-4k\"", o.Verity)
	}
	switch o.BlockSize {
	case 0:
		o.BlockSize = needs
	case 512, 4096:
	default:
		return fmt.Errorf("a block size of %d bytes: it is 512 or 4096", o.BlockSize)
	}
	if o.BlockSize < needs {
		return fmt.Errorf("hash tree %q needs a block size of %d bytes, not %d", o.Verity, needs, o.BlockSize)
	}
	return nil
}

// Apply makes the layer of a blob in the snapshot that the mounts are of. It returns the descriptor of the tar, as
// containerd's own differs do: its digest is the diffID.
func (a *Applier) Apply(ctx context.Context, desc ocispec.Descriptor, mounts []mount.Mount, opts ...diff.ApplyOpt) (ocispec.Descriptor, error) {
	var config diff.ApplyConfig
	for _, opt := range opts {
		if err := opt(ctx, desc, &config); err != nil {
			return ocispec.Descriptor{}, err
		}
	}
	to, err := a.destination(mounts)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	compressed, err := isCompressed(desc.MediaType)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	started := time.Now()
	log := a.opts.Log.With("layer", desc.Digest, "snapshot", to.name())
	made, there, err := to.there(ctx)
	j := &job{Options: &a.opts, desc: desc, to: to, compressed: compressed, progress: config.Progress}
	if err == nil && !there {
		if err = to.look(ctx, j); err == nil {
			made, err = a.inTurn(ctx, j)
		}
		if j.release != nil {
			j.release()
		}
		a.opts.Metrics.Layer(err, desc.Size, made.Size)
		a.opts.Metrics.Hashed("blob", j.read)
	}
	if err != nil {
		log.Error("layer not made", "error", err)
		return ocispec.Descriptor{}, fmt.Errorf("tarfs-snapshotter: layer %s: %w", desc.Digest, err)
	}
	if there {
		log.Info("layer is there", "diffid", made.Digest, "bytes", made.Size)
		return made, nil
	}
	if j.root != "" {
		log = log.With("root", j.root)
	}
	log.Info("layer made", "diffid", made.Digest, "bytes", made.Size, "compressed", desc.Size, "took", time.Since(started))
	return made, nil
}

// destination is the snapshot that mounts are of.
func (a *Applier) destination(mounts []mount.Mount) (destination, error) {
	if a.opts.Own != nil {
		if id, ok := a.opts.Own.Snapshotter.Target(mounts); ok {
			return ownSnapshot{a.opts.Own, id}, nil
		}
	}
	dir, err := snapshotOf(mounts)
	return inSnapshot(dir), err
}

// inTurn waits until one of so many may work.
func (a *Applier) inTurn(ctx context.Context, j *job) (ocispec.Descriptor, error) {
	waited := a.opts.Metrics.Stage("wait")
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return ocispec.Descriptor{}, context.Cause(ctx)
	}
	waited()
	defer a.opts.Metrics.Running()()
	return j.run(ctx)
}
