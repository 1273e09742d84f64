package snapshot

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Collected is what Collect removed.
type Collected struct {
	// Items is how many layers, images and disks.
	Items int
	// Bytes is the length of their files.
	Bytes int64
}

// garbage is an item on its way out.
type garbage struct {
	path  string
	bytes int64
}

// Collect removes the layers that nobody uses, and the images and disks that are made of them.
// Used is a layer of a snapshot, ready or on its way, of a mount, and of what is being made. So an
// image or disk stays as long as there are snapshots of all its layers.
func (m *Manager) Collect() (Collected, error) {
	end, err := m.begin()
	if err != nil {
		return Collected{}, err
	}
	defer end()
	var all []*collectable
	for _, kind := range []string{disksDir, imagesDir, layersDir} {
		found, err := m.store.collectables(kind)
		if err != nil {
			return Collected{}, err
		}
		all = append(all, found...)
	}
	doomed, err := m.retireUnused(all)
	// Gone for good before any file of theirs is.
	for _, kind := range []string{disksDir, imagesDir, layersDir} {
		err = errors.Join(err, syncPath(m.store.path(kind)))
	}
	if err != nil {
		return Collected{}, err // the next manager removes what was retired
	}
	var done Collected
	for _, one := range doomed {
		step()
		if failed := os.RemoveAll(one.path); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		done.Items++
		done.Bytes += one.bytes
	}
	return done, err
}

// collectable is an item, and what it was made of.
type collectable struct {
	kind, key string
	*item
}

func (s *store) collectables(kind string) ([]*collectable, error) {
	keys, err := s.keys(kind)
	if err != nil {
		return nil, err
	}
	var all []*collectable
	for _, key := range keys {
		it, err := s.info(kind, key)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another Collect was faster, or it is damaged: recovery's business
		}
		if err != nil {
			return nil, err
		}
		all = append(all, &collectable{kind, key, it})
	}
	return all, nil
}

// retireUnused takes items out of sight, while nobody can start to use them.
func (m *Manager) retireUnused(all []*collectable) (doomed []garbage, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := m.usedLayers()
	for _, one := range all {
		if used.haveAll(one.Layers) {
			continue
		}
		dir, failed := m.store.retire(one.kind, one.key)
		if errors.Is(failed, fs.ErrNotExist) {
			continue
		}
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		gone := garbage{path: dir}
		for _, size := range one.Files {
			gone.bytes += size
		}
		doomed = append(doomed, gone)
	}
	return doomed, err
}

// layerSet is a set of layers.
type layerSet map[string]bool

func (s layerSet) haveAll(layers []string) bool {
	for _, layer := range layers {
		if !s[layer] {
			return false
		}
	}
	return true
}

// usedLayers runs with the mutex held.
func (m *Manager) usedLayers() layerSet {
	used := layerSet{}
	for key := range m.holds {
		used[key] = true
	}
	for _, s := range m.snapshots {
		if s.isDone() && s.err == nil {
			used[s.key] = true
		}
	}
	for _, mount := range m.mounts {
		for _, layer := range mount.layers {
			used[layer] = true
		}
	}
	return used
}

// remove takes an item away, for good before any file of it is.
func (s *store) remove(kind, key string) error {
	dir, err := s.retire(kind, key)
	if err != nil {
		return err
	}
	if err := syncPath(filepath.Dir(dir)); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
