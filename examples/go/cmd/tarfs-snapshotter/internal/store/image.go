package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// Image is what a chain of layers merges into. Its layers, and so the image, are held until Release.
type Image struct {
	// Path is that of the image: an EROFS bootstrap.
	Path string
	// Devices are the paths of the layers' tars that hold its files' bodies, in the order of its device table.
	Devices []string
	// Sidecar is, of an image on a disk with a hash tree, containerd's file by which it is opened through dm-verity.
	Sidecar string

	key     string
	release func()
}

// Key is the image's name, another one where it is on a disk.
func (i Image) Key() string { return i.key }

// Release says that the caller holds the image no longer.
func (i Image) Release() {
	if i.release != nil {
		i.release()
	}
}

// Image merges layers, the lowest first, unless that was done. Callers who want the same image at the same time share
// the work. All layers must be kept: one that is not is errdefs.ErrNotFound, one that was damaged keep.ErrDamaged.
func (s *Store) Image(ctx context.Context, chain []digest.Digest) (Image, error) {
	if len(chain) == 0 {
		return Image{}, fmt.Errorf("an image of no layers: %w", errdefs.ErrInvalidArgument)
	}
	layers, err := keysOf(chain)
	if err != nil {
		return Image{}, err
	}
	release, err := s.hold(layers...)
	if err != nil {
		return Image{}, err
	}
	image, err := s.image(ctx, layers)
	if err != nil {
		release()
		return Image{}, err
	}
	image.release = release
	return image, nil
}

// ImageKey is the name of the image that layers merge into, whether it was made or not.
func (s *Store) ImageKey(chain []digest.Digest) (string, error) {
	layers, err := keysOf(chain)
	if err != nil {
		return "", err
	}
	return s.imageKey(layers), nil
}

func (s *Store) image(ctx context.Context, layers []string) (Image, error) {
	if err := s.whole(layers); err != nil {
		return Image{}, err
	}
	key := s.imageKey(layers)
	err := s.ensure(ctx, imagesKind, key, func(ctx context.Context, dir string) (*keep.Item, error) {
		return s.merge(ctx, layers, filepath.Join(dir, imageFile))
	})
	if err != nil {
		return Image{}, err
	}
	it, err := s.items.Info(imagesKind, key)
	if err != nil {
		return Image{}, err
	}
	image := Image{Path: s.items.Path(imagesKind, key, imageFile), key: key}
	for _, device := range it.Devices {
		image.Devices = append(image.Devices, s.items.Path(layersKind, device, tarFile))
	}
	return image, nil
}

// imageKey names an image by all that its bytes depend on.
func (s *Store) imageKey(layers []string) string {
	return s.keyOfMerged("image", layers)
}

// keyOfMerged is a key of what is merged, by how that is done too.
func (s *Store) keyOfMerged(parts ...any) string {
	if s.options.FollowLowerLinks {
		parts = append(parts, "follow lower links")
	}
	return keep.KeyOf(parts...)
}

// ensure makes an item by fill, unless it is there and whole. Callers who want the same one at the same time share the
// work.
func (s *Store) ensure(ctx context.Context, kind, key string, fill func(ctx context.Context, dir string) (*keep.Item, error)) error {
	_, err := s.flights.Do(ctx, key, nil, func(ctx context.Context, _ func()) error {
		has, err := s.items.Has(kind, key)
		if err != nil {
			return err
		}
		if has {
			_, err := s.verify(kind, key)
			if !errors.Is(err, keep.ErrDamaged) {
				return err
			}
			s.log.Error("damaged: made again", "item", kind+"/"+key, "cause", err)
			// It stays until then, but for disks: there may be no room for two.
			if kind != disksKind {
				return s.items.Renew(kind, key, func(dir string) (*keep.Item, error) { return fill(ctx, dir) })
			}
			if err := s.items.Remove(kind, key); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return s.items.Publish(kind, key, func(dir string) (*keep.Item, error) { return fill(ctx, dir) })
	})
	return err
}

// whole says that layers are there, as far as lengths show it.
func (s *Store) whole(layers []string) error {
	for _, key := range slices.Compact(slices.Sorted(slices.Values(layers))) {
		if has, err := s.items.Has(layersKind, key); err != nil {
			return err
		} else if !has {
			return fmt.Errorf("layer sha256:%s is not kept: %w", key, errdefs.ErrNotFound)
		}
		if _, err := s.check(layersKind, key); err != nil {
			return fmt.Errorf("layer sha256:%s: %w", key, err)
		}
	}
	return nil
}

// merge writes the image of layers.
func (s *Store) merge(ctx context.Context, layers []string, path string) (*keep.Item, error) {
	if it := s.fitting(layers); it != nil {
		if err := s.copyAttached(it, path); err != nil {
			return nil, err
		}
		return describe(path, layers)
	}
	sources, err := s.sources(ctx, layers)
	if err != nil {
		return nil, err
	}
	defer sources.Close()
	merged, err := tarfs.Merge(sources.Trees(), s.mergeOptions())
	if err != nil {
		return nil, err
	}
	defer merged.Close()
	if err := keep.WriteBootstrap(ctx, merged, path); err != nil {
		return nil, err
	}
	return describe(path, layers)
}

// sources opens layers.
func (s *Store) sources(ctx context.Context, layers []string) (*keep.Sources, error) {
	return keep.OpenSources(ctx, layers, s.filesOf)
}

// mergeOptions are how layers become one.
func (s *Store) mergeOptions() *tarfs.MergeOptions {
	return &tarfs.MergeOptions{
		// Each layer has its diffID, which is its tag, since it was written.
		TrustTags:        true,
		FollowLowerLinks: s.options.FollowLowerLinks,
		Limits:           s.options.Limits,
		Note:             func(note tarfs.Note) { s.log.Warn("merge: " + note.Text) },
	}
}

// describe reads the device table of an image.
func describe(path string, layers []string) (*keep.Item, error) {
	image, err := keep.OpenBootstrap(path)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	it := &keep.Item{Layers: layers, Sums: keep.Sums(imageFile)}
	for _, device := range image.Devices() {
		if !slices.Contains(layers, device.Tag) {
			return nil, fmt.Errorf("%w: the image's device %q is none of its layers", keep.ErrDamaged, device.Tag)
		}
		it.Devices = append(it.Devices, device.Tag)
	}
	return it, nil
}
