package snapshotter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// metadataName is the file, beside the snapshots, that says which there are.
const metadataName = "metadata.db"

// Options are a snapshotter's. The zero value is good.
type Options struct {
	// DefaultSize is how many bytes a container may write: it gets an ext4 of that size, or of the size that the label
	// containerd.io/snapshot/max-size has, by mkfs.ext4. 0 for what the disk has room for.
	DefaultSize int64
	// Plain is for callers that mount by mount(2), without containerd's mount manager: the snapshotter mounts images
	// itself. Not with DefaultSize.
	Plain bool
	// ExportMode has disks or hash trees made too, of each layer or of each image, and labels that say so; "" for none.
	// With those of whole disks of images, containers stand on the disk.
	ExportMode tarfs.Mode
	// ExpectedRoots is a file of root hashes: containers stand on no image that has another one. It goes with the modes
	// that give an image one. "" for any.
	ExpectedRoots string
	// DMVerity has containers' images mounted through dm-verity, which who mounts them opens: containerd, or with Plain the
	// snapshotter. It goes with ImageBlockWithVerity.
	DMVerity bool
	// OverlayOptions are more options of containers' overlayfs.
	OverlayOptions []string
	// Metrics count; nil for none.
	Metrics *metrics.Metrics
	// Log is told of what no caller is told; nil for slog's default.
	Log *slog.Logger
}

// Snapshotter is a snapshots.Snapshotter and a snapshots.Cleaner.
type Snapshotter struct {
	options Options
	log     *slog.Logger
	store   *store.Store
	meta    *storage.MetaStore
	dir     string
	// Held while directories of snapshots that are gone are looked for and taken out of sight; never taken in a
	// transaction.
	sweep sync.Mutex
	// Where images are mounted, with Plain. Whoever mounts one for a snapshot has using for reading until the snapshot is
	// recorded; who unmounts those that no snapshot uses has it for writing.
	mountsDir string
	using     sync.RWMutex
	attaching sync.Mutex
	leftovers leftovers
}

var (
	_ snapshots.Snapshotter = (*Snapshotter)(nil)
	_ snapshots.Cleaner     = (*Snapshotter)(nil)
)

// New opens the snapshotter of a store, below its root, and removes what a killed process left. The store stays the
// caller's to close, after the snapshotter.
func New(ctx context.Context, layers *store.Store, options Options) (*Snapshotter, error) {
	s := &Snapshotter{
		options: options, log: options.Log, store: layers,
		dir:       filepath.Join(layers.Root(), "snapshots"),
		mountsDir: filepath.Join(layers.Root(), "mounts"),
	}
	s.leftovers = leftovers{sys: sysBlock, below: filepath.Join(layers.Root(), "disks") + "/", close: closeDevice}
	if s.log == nil {
		s.log = slog.Default()
	}
	if options.Plain && options.DefaultSize > 0 {
		return nil, fmt.Errorf("plain mounts have no size of their own: %w", errdefs.ErrInvalidArgument)
	}
	if options.DMVerity && options.ExportMode != tarfs.ImageBlockWithVerity {
		return nil, fmt.Errorf("dm-verity is for %s: %w", tarfs.ImageBlockWithVerity, errdefs.ErrInvalidArgument)
	}
	if options.DefaultSize > 0 {
		if _, err := exec.LookPath(mkfs); err != nil {
			return nil, fmt.Errorf("containers are to have filesystems of their own: %w", err)
		}
	}
	items := &keep.Store{Root: layers.Root()}
	if err := s.unmountLeft(); err != nil {
		return nil, err
	}
	if _, err := items.MakeDirs("snapshots"); err != nil {
		return nil, err
	}
	if err := s.hasMetadata(); err != nil {
		return nil, err
	}
	meta, err := storage.NewMetaStore(filepath.Join(layers.Root(), metadataName))
	if err != nil {
		return nil, err
	}
	s.meta = meta
	if err := s.recover(ctx); err != nil {
		meta.Close()
		return nil, fmt.Errorf("%s: %w", layers.Root(), err)
	}
	return s, nil
}

// hasMetadata refuses snapshots without their metadata: to a new one all of them would be left over, and what
// containers wrote would be removed.
func (s *Snapshotter) hasMetadata() error {
	path := filepath.Join(s.store.Root(), metadataName)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	names, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := strconv.ParseUint(name.Name(), 10, 64); err == nil {
			return fmt.Errorf("%s is not there, and there are snapshots, as %s: bring it back, or remove %s if nothing in it is wanted: %w",
				path, s.path(name.Name()), s.dir, errdefs.ErrFailedPrecondition)
		}
	}
	return nil
}

// Close closes the metadata. Snapshots stay.
func (s *Snapshotter) Close() error { return s.meta.Close() }

// path is below the directory of a snapshot.
func (s *Snapshotter) path(id string, elem ...string) string {
	return filepath.Join(append([]string{s.dir, id}, elem...)...)
}

// upper is where what is written to a snapshot is.
func (s *Snapshotter) upper(id string) string { return s.path(id, "fs") }

// chain finds the layers of a committed snapshot and those below it, the lowest first, in a transaction.
func chain(ctx context.Context, name string) ([]digest.Digest, error) {
	var top []digest.Digest
	for name != "" {
		_, info, _, err := storage.GetInfo(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("parent snapshot %q: %w", name, err)
		}
		layer, ok := layerOf(info)
		if !ok {
			return nil, fmt.Errorf("parent snapshot %q is not committed: %w", name, errdefs.ErrInvalidArgument)
		}
		top = append(top, layer)
		name = info.Parent
	}
	chain := make([]digest.Digest, 0, len(top))
	for i := len(top) - 1; i >= 0; i-- {
		chain = append(chain, top[i])
	}
	return chain, nil
}

// references are the layers of all snapshots, at one moment.
func (s *Snapshotter) references(ctx context.Context) (all []digest.Digest, err error) {
	err = s.walk(ctx, func(_ context.Context, info snapshots.Info) error {
		if layer, ok := layerOf(info); ok {
			all = append(all, layer)
		}
		return nil
	})
	return all, err
}

// walk is of all snapshots, with all their labels.
func (s *Snapshotter) walk(ctx context.Context, fn snapshots.WalkFunc) error {
	err := s.meta.WithTransaction(ctx, false, func(ctx context.Context) error { return storage.WalkInfo(ctx, fn) })
	if errdefs.IsNotFound(err) {
		return nil // there never was a snapshot
	}
	return err
}
