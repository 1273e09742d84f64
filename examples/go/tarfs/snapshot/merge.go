package snapshot

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// MergeLayers makes the image that the parents of a snapshot are, unless it is there. It waits for
// each of them to be ready.
func (m *Manager) MergeLayers(ctx context.Context, s Snapshot) error {
	end, err := m.begin()
	if err != nil {
		return err
	}
	defer end()
	layers, release, err := m.parents(ctx, s)
	if err != nil {
		return err
	}
	defer release()
	_, err = m.ensureImage(ctx, layers)
	return err
}

// parents waits for the parents of a snapshot, and returns their layers, the lowest first, kept
// from being collected until release.
func (m *Manager) parents(ctx context.Context, s Snapshot) (layers []string, release func(), err error) {
	n := len(s.ParentIDs)
	if n == 0 {
		return nil, nil, fmt.Errorf("%w: snapshot %s has no parent", ErrInvalid, s.ID)
	}
	layers = make([]string, n)
	for i, id := range s.ParentIDs {
		if layers[n-1-i], err = m.readyLayer(ctx, id); err != nil {
			return nil, nil, err
		}
	}
	release = m.hold(layers...)
	for _, key := range layers { // one may have been detached and collected before the hold
		has, err := m.store.Has(layersDir, key)
		if err == nil && !has {
			err = fmt.Errorf("%w: layer %s", ErrNotFound, key)
		}
		if err != nil {
			release()
			return nil, nil, err
		}
	}
	return layers, release, nil
}

// ensureWhole is ensureImage, and an image whose bytes are not what they were is made again.
func (m *Manager) ensureWhole(ctx context.Context, layers []string) (string, error) {
	key, err := m.ensureImage(ctx, layers)
	if err != nil {
		return "", err
	}
	_, damaged := m.store.Verify(imagesDir, key)
	if !errors.Is(damaged, ErrDamaged) {
		return key, damaged
	}
	m.logf("image %s is made again: %v", key, damaged)
	// It stays until then. Whoever wants it meanwhile waits for this.
	_, err = m.flights.Do(ctx, "renew "+imagesDir+"/"+key, nil, func(ctx context.Context, _ func()) error {
		fill := m.imageOf(layers)
		return m.store.Renew(imagesDir, key, func(dir string) (*keep.Item, error) { return fill(ctx, dir) })
	})
	if err != nil {
		return "", errors.Join(damaged, err)
	}
	return key, nil
}

// ensureImage merges layers, the lowest first, unless that was done, and returns the image's key.
func (m *Manager) ensureImage(ctx context.Context, layers []string) (string, error) {
	key := m.imageKey(layers)
	return key, m.ensure(ctx, imagesDir, key, m.imageOf(layers))
}

// imageOf merges layers into an item.
func (m *Manager) imageOf(layers []string) func(ctx context.Context, dir string) (*keep.Item, error) {
	return func(ctx context.Context, dir string) (*keep.Item, error) {
		sources, err := m.openLayers(ctx, layers)
		if err != nil {
			return nil, err
		}
		defer sources.Close()
		image, err := tarfs.Merge(sources.Trees(), m.mergeOptions())
		if err != nil {
			return nil, err
		}
		defer image.Close()
		it := &keep.Item{Layers: layers, Sums: keep.Sums(bootstrapFile)}
		return it, keep.WriteBootstrap(ctx, image, filepath.Join(dir, bootstrapFile))
	}
}

// imageKey names the image of layers.
func (m *Manager) imageKey(layers []string) string {
	return keep.KeyOf(append([]any{"image", layers}, m.mergeKey()...)...)
}

// mergeKey is what the bytes of merged layers depend on besides the layers.
func (m *Manager) mergeKey() []any {
	if m.options.FollowLowerLinks {
		return []any{"follow lower links"}
	}
	return nil
}

func (m *Manager) mergeOptions() *tarfs.MergeOptions {
	return &tarfs.MergeOptions{
		// Each layer was checked against its tag, its diffID, before it was kept.
		TrustTags:        true,
		FollowLowerLinks: m.options.FollowLowerLinks,
		Limits:           m.options.Limits,
		Note:             func(note tarfs.Note) { m.logf("merge: %s", note.Text) },
	}
}

// ensure makes an item unless it is there. Callers who want the same one share the work.
func (m *Manager) ensure(ctx context.Context, kind, key string,
	fill func(ctx context.Context, dir string) (*keep.Item, error)) error {
	_, err := m.flights.Do(ctx, kind+"/"+key, nil, func(ctx context.Context, _ func()) error {
		if has, err := m.store.Has(kind, key); has || err != nil {
			return err
		}
		return m.store.Publish(kind, key, func(dir string) (*keep.Item, error) { return fill(ctx, dir) })
	})
	return err
}

// openLayers opens layers; one that is repeated is opened once.
func (m *Manager) openLayers(ctx context.Context, layers []string) (*keep.Sources, error) {
	return keep.OpenSources(ctx, layers, func(key string) keep.Files {
		return m.filesOf(key)
	})
}

// filesOf are those of a layer that is kept.
func (m *Manager) filesOf(key string) keep.Files {
	return keep.Files{
		Tar:       m.store.Path(layersDir, key, tarFile),
		Bootstrap: m.store.Path(layersDir, key, bootstrapFile),
		Sum:       m.store.sum(layersDir, key, bootstrapFile),
		Remade:    func(damaged error) { m.logf("layer %s: metadata made again: %v", key, damaged) },
		Options:   m.layerOptions(key),
	}
}
