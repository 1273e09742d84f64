package snapshot

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// maxDocument is the most bytes of a manifest or config.
func maxDocument(l tarfs.Limits) uint64 {
	if l.MaxJSONBytes == 0 {
		return tarfs.DefaultLimits().MaxJSONBytes
	}
	return l.MaxJSONBytes
}

// maxImages is of how many images the answers are kept.
const maxImages = 64

// hintAnnotation on a manifest says that the image is meant for tarfs.
const hintAnnotation = "containerd.io/snapshot/tarfs-hint"

// image is what a manifest and its config say.
type image struct {
	diffIDs map[string]string // by the layer's digest
	hint    bool
}

// resolver looks up what manifests say.
type resolver struct {
	fetcher Fetcher
	policy  FetchPolicy
	flights *keep.Flights

	maxDocument uint64

	mu   sync.Mutex
	seen map[string]*image
}

// diffID is that of a layer of the image.
func (r *resolver) diffID(ctx context.Context, layer Layer) (string, error) {
	img, err := r.image(ctx, layer.Ref, layer.Manifest)
	if err != nil {
		return "", err
	}
	id, ok := img.diffIDs[layer.Digest]
	if !ok {
		return "", fmt.Errorf("%w: manifest %s has no layer %s", ErrInvalid, layer.Manifest, layer.Digest)
	}
	return id, nil
}

// image fetches manifest and config, once for all who ask at the same time.
func (r *resolver) image(ctx context.Context, ref, manifest string) (*image, error) {
	if img := r.known(manifest); img != nil {
		return img, nil
	}
	for {
		led, err := r.flights.Do(ctx, "manifest/"+manifest, nil, func(ctx context.Context, _ func()) error {
			if r.known(manifest) != nil {
				return nil // by a flight that ended after we had looked
			}
			img, err := r.fetchImage(ctx, ref, manifest)
			if err == nil {
				r.remember(manifest, img)
			}
			return err
		})
		if img := r.known(manifest); img != nil {
			return img, nil
		}
		if err != nil && (led || ctx.Err() != nil) {
			return nil, err
		} // else someone else's reference failed: try with this one
	}
}

func (r *resolver) known(manifest string) *image {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[manifest]
}

func (r *resolver) remember(manifest string, img *image) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range r.seen {
		if len(r.seen) < maxImages {
			break
		}
		delete(r.seen, key)
	}
	r.seen[manifest] = img
}

func (r *resolver) fetchImage(ctx context.Context, ref, digest string) (*image, error) {
	var manifest struct {
		Config      struct{ Digest string }
		Layers      []struct{ Digest string }
		Annotations map[string]string
	}
	if err := r.document(ctx, ref, digest, &manifest); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	var config struct {
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if _, err := hexOf(manifest.Config.Digest); err != nil {
		return nil, fmt.Errorf("manifest %s: config: %w", digest, err)
	}
	if err := r.document(ctx, ref, manifest.Config.Digest, &config); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if n := len(config.RootFS.DiffIDs); n != len(manifest.Layers) {
		return nil, fmt.Errorf("%w: manifest %s has %d layers, its config %d diffIDs", ErrInvalid, digest, len(manifest.Layers), n)
	}
	img := &image{diffIDs: map[string]string{}}
	for i, layer := range manifest.Layers {
		id := config.RootFS.DiffIDs[i]
		if _, err := hexOf(id); err != nil {
			return nil, fmt.Errorf("config %s: %w", manifest.Config.Digest, err)
		}
		if other, ok := img.diffIDs[layer.Digest]; ok && other != id {
			return nil, fmt.Errorf("%w: layer %s has two diffIDs", ErrInvalid, layer.Digest)
		}
		img.diffIDs[layer.Digest] = id
	}
	_, img.hint = manifest.Annotations[hintAnnotation]
	return img, nil
}

// document fetches JSON by its digest.
func (r *resolver) document(ctx context.Context, ref, digest string, value any) error {
	return r.policy.retry(ctx, func(ctx context.Context) (bool, error) {
		b, err := openBlob(ctx, r.fetcher, r.policy, ref, digest)
		if err != nil {
			return true, err
		}
		defer b.Close()
		data, err := io.ReadAll(io.LimitReader(b, int64(min(r.maxDocument, math.MaxInt64-1)+1)))
		if err != nil {
			return true, err
		}
		if n := uint64(len(data)); n > r.maxDocument {
			return false, fmt.Errorf("%w: %s: %d bytes of JSON are over the limit max_json_bytes of %d (Options.Limits)",
				ErrTooLarge, digest, n, r.maxDocument)
		}
		if err := b.verify(); err != nil {
			return true, err
		}
		if err := json.Unmarshal(data, value); err != nil {
			return false, fmt.Errorf("%w: %s: %w", ErrInvalid, digest, err)
		}
		return false, nil
	})
}
