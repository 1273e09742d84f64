package snapshot

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
)

// Scrubbed is what Verify did.
type Scrubbed struct {
	// Layers and Images are how many were read.
	Layers, Images int
	// Lost is what is damaged and was not made again. A layer that nobody uses is gone, to be fetched anew, and so is
	// an image, to be merged anew where it is mounted next; a layer of a snapshot or a mount stays, named here.
	Lost []Loss
}

// Verify reads all layers and images: each tar is held against its diffID, and metadata against the SHA-256 that it
// had when it was made. Metadata of layers is made again of their tars, as it is where a merge finds it damaged.
//
// It reads all that is kept, so it is nothing that a manager does by itself; disks, which have their hash trees, are
// left out. It ends with the context.
func (m *Manager) Verify(ctx context.Context) (done Scrubbed, err error) {
	end, err := m.begin()
	if err != nil {
		return done, err
	}
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.ctx, func() { cancel(ErrClosed) })()
	for _, kind := range []string{layersDir, imagesDir} {
		keys, err := m.store.Keys(kind)
		if err != nil {
			return done, err
		}
		for _, key := range keys {
			if ctx.Err() != nil {
				return done, context.Cause(ctx)
			}
			damaged := m.verify(ctx, kind, key)
			if has, err := m.store.Has(kind, key); errors.Is(damaged, fs.ErrNotExist) && !has && err == nil {
				continue // collected meanwhile
			}
			if kind == layersDir {
				done.Layers++
			} else {
				done.Images++
			}
			if damaged == nil {
				continue
			}
			if !errors.Is(damaged, ErrDamaged) {
				return done, damaged
			}
			m.logf("verify: %s: %v", filepath.Join(kind, key), damaged)
			done.Lost = append(done.Lost, Loss{filepath.Join(kind, key), damaged})
			if err := m.drop(kind, key); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// verify reads a layer or an image.
func (m *Manager) verify(ctx context.Context, kind, key string) error {
	if kind == imagesDir {
		_, err := m.store.Verify(kind, key)
		return err
	}
	if err := m.store.check(kind, key); err != nil {
		return err
	}
	return m.filesOf(key).Verify(ctx, key)
}

// drop removes what is damaged, but for layers that somebody uses.
func (m *Manager) drop(kind, key string) error {
	m.mu.Lock()
	if kind == layersDir && m.usedLayers()[key] {
		m.mu.Unlock()
		return nil
	}
	gone, err := m.store.Retire(kind, key)
	m.mu.Unlock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return m.store.Discard(gone)
}
