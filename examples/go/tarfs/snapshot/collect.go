package snapshot

import (
	"errors"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Collected is what Collect removed.
type Collected = keep.Collected

// Collect removes the layers that nobody uses, and the images and disks that are made of them.
// Used is a layer of a snapshot, ready or on its way, of a mount, and of what is being made. So an
// image or disk stays as long as there are snapshots of all its layers.
func (m *Manager) Collect() (Collected, error) {
	end, err := m.begin()
	if err != nil {
		return Collected{}, err
	}
	defer end()
	kinds := []string{disksDir, imagesDir, layersDir}
	all, err := m.store.Collectables(kinds...)
	if err != nil {
		return Collected{}, err
	}
	doomed, err := m.retireUnused(all)
	done, failed := m.store.Delete(doomed, kinds...)
	return done, errors.Join(err, failed)
}

// retireUnused takes items out of sight, while nobody can start to use them.
func (m *Manager) retireUnused(all []keep.Collectable) (keep.Garbage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := m.usedLayers()
	isUsed := func(layer string) bool { return used[layer] }
	return m.store.RetireUnless(all, func(one keep.Collectable) bool { return one.IsOf(isUsed) })
}

// usedLayers runs with the mutex held.
func (m *Manager) usedLayers() map[string]bool {
	used := map[string]bool{}
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
