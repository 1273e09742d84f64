package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Scrubbed is what Verify did.
type Scrubbed struct {
	// Layers and Images are how many were read.
	Layers, Images int
	// Lost is what is damaged and was not made again. A layer that nobody uses is gone, to be fetched anew, and so is
	// an image, to be merged anew where it is mounted next; a layer of a snapshot or a mount stays, named here. What
	// the disk does not give (an I/O error) stays in any case: its bytes may be right. A layer that stays is fetched
	// where it is prepared next, and stays until the new one is in its place.
	Lost []Loss
}

// Verify reads all layers and images: each tar is held against its diffID, and metadata against the SHA-256 that it
// had when it was made. Metadata of layers is made again of their tars, as it is where a merge finds it damaged.
//
// It reads all that is kept, so it is nothing that a manager does by itself; disks, which have their hash trees, are
// left out. It ends with the context. An item that can't be looked at for a reason of the moment, such as that too
// many files are open, is in the error, and keeps no other from being read.
func (m *Manager) Verify(ctx context.Context) (done Scrubbed, failed error) {
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
			if ctx.Err() != nil {
				return done, context.Cause(ctx)
			}
			if damaged == nil {
				m.mark(kind, key, false)
				continue
			}
			path := filepath.Join(kind, key)
			if !errors.Is(damaged, ErrDamaged) {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", path, damaged))
				continue
			}
			m.logf("verify: %s: %v", path, damaged)
			done.Lost = append(done.Lost, Loss{path, damaged})
			if err := m.drop(kind, key, damaged); err != nil {
				return done, errors.Join(failed, err)
			}
		}
	}
	return done, failed
}

// mark remembers of a layer whether it is damaged: if it is, it is fetched where it is prepared next.
func (m *Manager) mark(kind, key string, damaged bool) {
	if kind != layersDir {
		return // read where it is mounted, and merged anew
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if damaged {
		m.damaged[key] = true
	} else {
		delete(m.damaged, key)
	}
}

func (m *Manager) isMarked(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.damaged[key]
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

// drop removes what is damaged, but for what can't be read, and for layers that somebody uses: those are marked.
func (m *Manager) drop(kind, key string, damaged error) error {
	m.mu.Lock()
	if keep.IsUnreadable(damaged) || kind == layersDir && m.usedLayers()[key] {
		m.mu.Unlock()
		m.mark(kind, key, true)
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
