package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// Kinds of items: directories below the root.
const (
	layersKind = "layers/sha256"
	imagesKind = "images"
	disksKind  = "disks"
	// What came with images, and was found to be right.
	attachedKind = "attached"
)

// Files of items.
const (
	tarFile   = "layer.tar"
	indexFile = "layer.erofs"
	imageFile = "image.erofs"
)

// Options are how layers are read and merged. Layers that are kept were read with the options of their time.
type Options struct {
	// Strict refuses a layer that has what cannot be kept as it stands, or what readers of tars disagree about: extended
	// attributes that EROFS has no namespace for, such as those which macOS puts on every file. Without it they are
	// dropped, as runtimes do, and the log says how many.
	Strict bool
	// Limits are how much layers, images and disks may cost; metadata that are kept have the library's.
	Limits tarfs.Limits
	// FollowLowerLinks is how layers are merged: see tarfs.MergeOptions.
	FollowLowerLinks bool
	// ScrubInterval is how long after the start, and after each time, all that is kept is verified; 0 for never.
	ScrubInterval time.Duration
	// Metrics count; nil for none.
	Metrics *metrics.Metrics
	// Log is told of what no caller is told; nil for slog's default.
	Log *slog.Logger
}

// Store is a directory of layers and images. Any number of goroutines may use it.
type Store struct {
	options Options
	log     *slog.Logger
	items   *keep.Store
	lock    *os.File
	flights *keep.Flights
	cancel  context.CancelCauseFunc

	scrubs sync.WaitGroup
	// Held while what is attached to an image is verified.
	attaching sync.Mutex
	repair    sync.Mutex // held from finding that a layer is damaged to its end

	mu     sync.Mutex
	closed bool
	// Until when what was attached stays although its layers are not all there yet, by its key.
	arriving map[string]time.Time
	bad      map[string]bool // layers whose tar a scrub has found damaged
	holds    map[string]int  // layers in use by something under way, by diffID in hex
}

// ErrClosed says that the store was closed.
var ErrClosed = errors.New("store is closed")

// maxRoot is the most bytes of a root's path: fsconfig(2) takes options of 255 bytes, and the longest file below
// the root, "/layers/sha256/DIFFID/layer.tar", has 89.
const maxRoot = 255 - 89

// Open opens a directory, or makes it, and removes what a killed process left unfinished there. While another
// process has the directory, it is keep.ErrLocked.
func Open(root string, options Options) (*Store, error) {
	if err := tarfs.CheckABI(); err != nil {
		return nil, err
	}
	items, err := keep.OpenStore(root)
	if err != nil {
		return nil, err
	}
	if err := checkRoot(items.Root); err != nil {
		return nil, err
	}
	lock, err := keep.Lock(items.Path("lock"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &Store{
		options: options, log: options.Log, items: items, lock: lock,
		flights: keep.NewFlights(ctx), cancel: cancel, holds: map[string]int{}, bad: map[string]bool{},
		arriving: map[string]time.Time{},
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if err := s.recover(); err != nil {
		cancel(err)
		return nil, errors.Join(fmt.Errorf("%s: %w", items.Root, err), lock.Close())
	}
	if options.ScrubInterval > 0 {
		s.scrubs.Go(func() { s.verifyEvery(ctx, options.ScrubInterval) })
	}
	return s, nil
}

// checkRoot refuses a path that is no option of a mount: overlayfs splits at commas and colons and takes backslashes
// for itself, and containerd takes two braces for a template.
func checkRoot(root string) error {
	if len(root) > maxRoot {
		return fmt.Errorf("root %s: a path of %d bytes, a mount's options take %d", root, len(root), maxRoot)
	}
	if i := strings.IndexAny(root, ",:\\\"{}\n"); i >= 0 {
		return fmt.Errorf("root %s: %q in its path is no character for a mount's options", root, root[i])
	}
	return nil
}

// recover removes what is unfinished or damaged. What is damaged can be made again.
func (s *Store) recover() error {
	removed, err := s.items.MakeDirs(layersKind, imagesKind, disksKind, attachedKind)
	if err != nil {
		return err
	}
	if removed > 0 {
		s.log.Info("removed what was unfinished", "items", removed)
	}
	for _, kind := range []string{attachedKind, disksKind, imagesKind, layersKind} {
		keys, err := s.items.Keys(kind)
		if err != nil {
			return err
		}
		for _, key := range keys {
			// Metadata that was being made again.
			if _, err := keep.RemoveTemps(s.items.Path(kind, key)); err != nil {
				return err
			}
			if _, err := s.check(kind, key); errors.Is(err, keep.ErrDamaged) {
				s.log.Error("removed what is damaged", "item", kind+"/"+key, "cause", err)
				if err := s.items.Remove(kind, key); err != nil {
					return err
				}
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// check finds that an item is damaged, as far as lengths show it.
func (s *Store) check(kind, key string) (*keep.Item, error) {
	it, err := s.items.Check(kind, key)
	if err != nil {
		return nil, err
	}
	named := len(it.Layers) > 0
	for _, layer := range append(it.Layers, it.Devices...) {
		named = named && keep.IsHash(layer)
	}
	if !named || kind == layersKind && (len(it.Layers) != 1 || it.Layers[0] != key) {
		return nil, fmt.Errorf("%w: %s %s describes something else", keep.ErrDamaged, kind, key)
	}
	return it, nil
}

// verify is check, and reads the metadata.
func (s *Store) verify(kind, key string) (*keep.Item, error) {
	if it, err := s.check(kind, key); err != nil {
		return it, err
	}
	return s.items.Verify(kind, key)
}

// Root is the store's directory, absolute and without symbolic links.
func (s *Store) Root() string { return s.items.Root }

// Close ends merges that are under way, and lets go of the directory. Callers of Ingest end by their contexts. Closing
// again does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.cancel(ErrClosed)
	s.flights.Wait()
	s.scrubs.Wait()
	return s.lock.Close()
}

// Hold keeps a layer that is to be made, and what came with its image, from being collected until release is called.
func (s *Store) Hold(id digest.Digest) (release func(), err error) {
	key, err := keyOf(id)
	if err != nil {
		return nil, err
	}
	return s.hold(key)
}

// hold keeps layers from being collected until release is called, once.
func (s *Store) hold(keys ...string) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	for _, key := range keys {
		s.holds[key]++
	}
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, key := range keys {
			if s.holds[key]--; s.holds[key] == 0 {
				delete(s.holds, key)
			}
		}
	}), nil
}

// keyOf is the hex part of a diffID, which is checked.
func keyOf(id digest.Digest) (string, error) {
	if err := id.Validate(); err != nil {
		return "", fmt.Errorf("diffID %q: %w", id, err)
	}
	if id.Algorithm() != digest.SHA256 {
		return "", fmt.Errorf("diffID %q: layers are kept by SHA-256", id)
	}
	return id.Encoded(), nil
}

func keysOf(chain []digest.Digest) (keys []string, err error) {
	for _, id := range chain {
		key, err := keyOf(id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
