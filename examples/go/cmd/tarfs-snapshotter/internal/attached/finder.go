package attached

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
)

// Options are a finder's.
type Options struct {
	// Content is containerd's store, in which manifests of images are.
	Content content.Store
	// Layers keeps what is found.
	Layers *store.Store
	// Require fails layers of images with nothing attached to them; else they are made as others are.
	Require bool
	// Expected says whether a root hash, sha256:HEX, is expected; nil for any.
	Expected func(root string) (bool, error)
	// FollowLowerLinks is how layers are merged here.
	FollowLowerLinks bool
	// Repositories are those that are asked, HOST[:PORT][/PATH] with all below; none for all.
	Repositories []string
	// Silence is how long a registry may send less than 64 KiB; 0 for half a minute.
	Silence time.Duration
	// Seeking is how long it may take until it is known what a repository has; 0 for a minute. Files take what patience has.
	Seeking time.Duration
	// MaxBytes is the most bytes of an attached file; 0 for no limit.
	MaxBytes int64
	// Registries are those with a port of their own, HOST:PORT: containerd's labels leave ports out.
	Registries []string
	// HostsDir is where containerd's hosts.toml files are, which say how registries are reached; "" for none.
	HostsDir string
	// Credentials is a file as docker login writes it; "" for none.
	Credentials string
	// Metrics count; nil for none.
	Metrics *metrics.Metrics
	// Log is where to; nil for the default.
	Log *slog.Logger
}

// Finder finds what is attached to images. It is for any number of goroutines.
type Finder struct {
	options Options
	log     *slog.Logger

	mu      sync.Mutex
	lookups map[digest.Digest]*lookup
}

// lookup is one image that is looked for, or was.
type lookup struct {
	done  chan struct{}
	began time.Time
	err   error // after done
	until time.Time
}

// Lasts is how long nobody asks again for what was not found, after that took so long: one pull, whose layers come one
// after the other. A registry that makes others wait so takes no more than a tenth of their time, however many layers there are.
func Lasts(took time.Duration) time.Duration { return max(time.Minute, 10*took) }

// patience is how long what is attached to an image may take to be fetched and verified.
const patience = 10 * time.Minute

// errAbsent says that nothing is attached.
var errAbsent = errors.New("nothing is attached to it")

// New makes a finder.
func New(options Options) *Finder {
	f := &Finder{options: options, log: options.Log, lookups: map[digest.Digest]*lookup{}}
	if f.log == nil {
		f.log = slog.Default()
	}
	if f.options.Silence == 0 {
		f.options.Silence = 30 * time.Second
	}
	if f.options.Seeking == 0 {
		f.options.Seeking = time.Minute
	}
	return f
}

// Layer says which diffID the layer with this blob has by an image whose metadata is kept: the layer need not be indexed
// then. Chain is the chain ID of the layers up to it, by which the image is known that it is unpacked for: others that have
// the blob may say anything of it. The answer is empty where nothing that is right is attached, or an error where that is
// required.
func (f *Finder) Layer(ctx context.Context, blob, chain digest.Digest) (digest.Digest, error) {
	if f == nil {
		return "", nil
	}
	images, err := f.imagesOf(ctx, blob, chain)
	if err == nil && len(images) == 0 {
		err = errors.New("no image in containerd's store has the layer")
	}
	for _, image := range images {
		found := f.once(ctx, image)
		if found == nil {
			return image.diffIDs[image.place(blob, chain)], nil
		}
		err = errors.Join(err, fmt.Errorf("image %s: %w", image.desc.Digest, found))
	}
	if f.options.Require {
		return "", fmt.Errorf("attached.mode is \"require\": %w", err)
	}
	f.log.Debug("layer is indexed here", "layer", blob, "cause", err)
	return "", nil
}

// once looks for what is attached to an image, unless it is kept or somebody does so.
func (f *Finder) once(ctx context.Context, image *image) error {
	l := f.lookup(ctx, image)
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *Finder) lookup(ctx context.Context, image *image) *lookup {
	f.mu.Lock()
	defer f.mu.Unlock()
	// What was found long ago and failed may be there now; what was kept may have been collected.
	for id, l := range f.lookups {
		if !l.until.IsZero() && time.Now().After(l.until) {
			delete(f.lookups, id)
		}
	}
	if l, ok := f.lookups[image.desc.Digest]; ok && (l.until.IsZero() || l.err != nil || f.options.Layers.HasAttached(image.diffIDs)) {
		return l
	}
	l := &lookup{done: make(chan struct{}), began: time.Now()}
	f.lookups[image.desc.Digest] = l
	// It does not end with the call that began it: others wait for it too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	go func() {
		defer cancel()
		err := f.find(ctx, image)
		f.report(image, err)
		f.mu.Lock()
		l.err, l.until = err, time.Now().Add(Lasts(time.Since(l.began)))
		f.mu.Unlock()
		close(l.done)
	}()
	return l
}

// find has the store keep what is attached to an image.
func (f *Finder) find(ctx context.Context, image *image) error {
	if f.options.Layers.IsAttached(image.diffIDs) {
		return nil
	}
	return f.fetch(ctx, image)
}

func (f *Finder) report(image *image, err error) {
	log := f.log.With("image", image.desc.Digest, "from", image.names())
	switch {
	case err == nil:
		f.options.Metrics.Attached("used")
		log.Info("image has its metadata and hash tree attached: its layers are not indexed")
	case errors.Is(err, errAbsent):
		f.options.Metrics.Attached("absent")
		log.Info("nothing is attached to the image")
	default:
		f.options.Metrics.Attached("refused")
		log.Warn("what is attached to the image is not used", "cause", err)
	}
}
