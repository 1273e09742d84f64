package snapshot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// Options are a manager's. A zero field has its default.
type Options struct {
	// Fetcher brings blobs. It has no default.
	Fetcher Fetcher
	// Fetch bounds fetching.
	Fetch FetchPolicy
	// MaxConcurrent is how many layers are fetched and converted at a time, from a fetch's start to
	// the end of the conversion; default: the number of CPUs.
	MaxConcurrent int
	// MaxLayerBytes is the most bytes of an uncompressed layer; no limit by default.
	MaxLayerBytes int64
	// Limits are how much layers, layers merged, disks and fetched documents may cost. Metadata that are kept of layers
	// and images have the defaults.
	Limits tarfs.Limits
	// Strict refuses a layer that has what cannot be kept as it stands: extended attributes that
	// EROFS has no namespace for, such as those which macOS puts on every file. Without it they are
	// dropped, as runtimes do, and Logf is told how many.
	Strict bool
	// FollowLowerLinks is how layers are merged: see tarfs.MergeOptions.
	FollowLowerLinks bool

	// ExportMode is what ExportBlockData makes; nothing by default.
	ExportMode tarfs.Mode
	// Layout of disks; default: metadata first, tars at multiples of 512 KiB, as Nydus has them.
	Layout *tarfs.LayoutOptions
	// Verity has the hash trees' parameters; default: the preset "nydus", which is what Kata
	// expects behind the labels.
	Verity *tarfs.VerityParams

	// Backing is how files become a mount; default BackingAuto.
	Backing Backing
	// CheckHint makes CheckTarfsHintAnnotation look at manifests.
	CheckHint bool
	// Logf is told of what no caller is told: failures in the background, what recovery did, what
	// was dropped of layers, and where a merge decided what not every reader of layers does.
	Logf func(format string, args ...any)
}

// nydusAlign is where Nydus starts devices in a disk: at multiples of 512 KiB.
const nydusAlign = 512 << 10

// Manager keeps layers, images, disks and mounts below one directory. Any number of goroutines may
// use it.
type Manager struct {
	options  Options
	store    *store
	lock     *os.File
	resolver *resolver
	flights  *keep.Flights
	slots    chan struct{} // one value for each conversion under way

	ctx    context.Context // done when the manager closes
	cancel context.CancelCauseFunc
	work   sync.WaitGroup // preparations under way

	mu        sync.Mutex
	closed    bool
	snapshots map[string]*layerSnapshot
	mounts    map[string]*mounted
	holds     map[string]int  // layers in use by something under way, by diffID in hex
	damaged   map[string]bool // layers that Verify found so and that stay, by diffID in hex

	recovery Recovery
}

// NewManager opens a directory, or makes it, and recovers what an earlier manager left there:
// Recovered tells what that was. While another manager has the directory, it is ErrLocked.
func NewManager(root string, options Options) (*Manager, error) {
	if options.Fetcher == nil {
		return nil, fmt.Errorf("%w: no fetcher", ErrInvalid)
	}
	if options.ExportMode != "" {
		if err := checkMode(options.ExportMode); err != nil {
			return nil, err
		}
	}
	if err := tarfs.CheckABI(); err != nil {
		return nil, err
	}
	store, err := openStore(root)
	if err != nil {
		return nil, err
	}
	lock, err := keep.Lock(store.Path("lock"))
	if err != nil {
		return nil, err
	}
	m, err := newManager(store, options)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := m.recover(); err != nil {
		m.cancel(err)
		m.flights.Wait()
		return nil, errors.Join(err, lock.Close())
	}
	m.lock = lock
	return m, nil
}

func newManager(store *store, options Options) (*Manager, error) {
	options.Fetch = options.Fetch.withDefaults()
	if options.MaxConcurrent <= 0 {
		options.MaxConcurrent = runtime.GOMAXPROCS(0)
	}
	if options.Layout == nil {
		options.Layout = &tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst, Align: nydusAlign}
	}
	if options.Verity == nil {
		preset, err := tarfs.Preset("nydus")
		if err != nil {
			return nil, err
		}
		options.Verity = preset
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	m := &Manager{
		options: options, store: store, flights: keep.NewFlights(ctx),
		slots: make(chan struct{}, options.MaxConcurrent),
		ctx:   ctx, cancel: cancel,
		snapshots: map[string]*layerSnapshot{},
		mounts:    map[string]*mounted{},
		holds:     map[string]int{},
		damaged:   map[string]bool{},
	}
	m.resolver = &resolver{
		maxDocument: maxDocument(options.Limits), fetcher: options.Fetcher, policy: options.Fetch, flights: m.flights, seen: map[string]*image{},
	}
	return m, nil
}

// Root is the manager's directory, absolute and without symbolic links.
func (m *Manager) Root() string { return m.store.Root }

// Close cancels what is under way, waits for its end and lets go of the directory. Mounts stay:
// the next manager finds them. Closing again does nothing.
func (m *Manager) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	m.mu.Unlock()
	m.cancel(ErrClosed)
	m.work.Wait()
	m.flights.Wait()
	return m.lock.Close()
}

// begin counts a call in, unless the manager is closed; Close waits for the function returned.
func (m *Manager) begin() (end func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	m.work.Add(1)
	return m.work.Done, nil
}

// hold keeps layers from being collected until the function returned is called.
func (m *Manager) hold(keys ...string) (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		m.holds[key]++
	}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, key := range keys {
			if m.holds[key]--; m.holds[key] == 0 {
				delete(m.holds, key)
			}
		}
	}
}

func (m *Manager) logf(format string, args ...any) {
	if m.options.Logf != nil {
		m.options.Logf(format, args...)
	}
}

// CheckTarfsHintAnnotation says whether an image's manifest has the annotation
// containerd.io/snapshot/tarfs-hint; without the option CheckHint it says yes to all.
func (m *Manager) CheckTarfsHintAnnotation(ctx context.Context, ref, manifestDigest string) (bool, error) {
	if !m.options.CheckHint {
		return true, nil
	}
	if _, err := hexOf(manifestDigest); err != nil {
		return false, err
	}
	end, err := m.begin()
	if err != nil {
		return false, err
	}
	defer end()
	img, err := m.resolver.image(ctx, ref, manifestDigest)
	if err != nil {
		return false, err
	}
	return img.hint, nil
}
