package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Recovery is what a manager found in its directory.
type Recovery struct {
	// Temporaries is how many unfinished files and directories were removed.
	Temporaries int
	// Snapshots are ready, as they were.
	Snapshots []string
	// Mounts are there, as they were: Remounted says which of them were mounted again.
	Mounts, Remounted []string
	// Lost is what was there and is not any more: after a crash, nothing. It names what someone else
	// damaged or removed, and what depended on that. A mount that is named for another reason than
	// ErrDamaged, such as that this process may not mount, is still wanted: MountTarErofs and the next
	// manager try again.
	Lost []Loss
}

// Loss is one thing lost.
type Loss struct {
	// Path is that of an item or record, from the root on.
	Path string
	// Err says why.
	Err error
}

// Recovered tells what NewManager found.
func (m *Manager) Recovered() Recovery {
	r := m.recovery
	r.Snapshots, r.Mounts = slices.Clone(r.Snapshots), slices.Clone(r.Mounts)
	r.Remounted, r.Lost = slices.Clone(r.Remounted), slices.Clone(r.Lost)
	return r
}

// lost reports a loss.
func (m *Manager) lost(err error, elem ...string) {
	path := m.store.Path(elem...)[len(m.store.Root)+1:]
	m.logf("recovery: lost %s: %v", path, err)
	m.recovery.Lost = append(m.recovery.Lost, Loss{path, err})
}

// recover finds what an earlier manager left. What fails for reasons of the moment fails it: nothing
// is given up that a second attempt would find whole.
func (m *Manager) recover() (err error) {
	if m.recovery.Temporaries, err = m.store.prepare(); err != nil {
		return err
	}
	for _, recover := range []func() error{m.recoverItems, m.recoverSnapshots, m.recoverMounts} {
		if err := recover(); err != nil {
			return fmt.Errorf("recover %s: %w", m.store.Root, err)
		}
	}
	if n := m.recovery.Temporaries; n > 0 {
		m.logf("recovery: removed %d unfinished files and directories", n)
	}
	return nil
}

// recoverItems takes damaged items out of the way: they can be made again.
func (m *Manager) recoverItems() error {
	for _, kind := range []string{layersDir, imagesDir, disksDir} {
		keys, err := m.store.Keys(kind)
		if err != nil {
			return err
		}
		for _, key := range keys {
			damaged := m.store.check(kind, key)
			if damaged == nil {
				continue
			}
			if !errors.Is(damaged, ErrDamaged) {
				return damaged
			}
			m.lost(damaged, kind, key)
			if err := m.store.Remove(kind, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// recoverSnapshots finds the snapshots that were ready.
func (m *Manager) recoverSnapshots() error {
	ids, err := m.store.records(snapshotsDir)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var record snapshotRecord
		path := m.store.recordPath(snapshotsDir, id)
		err := readRecord(path, &record)
		if err == nil {
			err = m.whole(record.Layer)
		}
		if err == nil {
			m.snapshots[id] = readySnapshot(record)
			m.recovery.Snapshots = append(m.recovery.Snapshots, id)
			continue
		}
		if !errors.Is(err, ErrDamaged) {
			return err
		}
		m.lost(err, snapshotsDir, id+recordSuffix)
		if err := keep.RemoveFile(path); err != nil {
			return err
		}
	}
	return nil
}

// whole says that layers are there: recoverItems has left none that is not whole.
func (m *Manager) whole(layers ...string) error {
	for _, layer := range layers {
		if keep.IsHash(layer) {
			has, err := m.store.Has(layersDir, layer)
			if err != nil {
				return err // what can't be seen is not lost
			}
			if has {
				continue
			}
		}
		return fmt.Errorf("%w: layer %q is not there", ErrDamaged, layer)
	}
	return nil
}

// readySnapshot is what a record says.
func readySnapshot(record snapshotRecord) *layerSnapshot {
	s := &layerSnapshot{
		layer:  Layer{Ref: record.Ref, Digest: record.Digest, DiffID: algorithm + record.Layer},
		cancel: func(error) {},
		moving: make(chan struct{}), done: make(chan struct{}),
		key: record.Layer,
	}
	close(s.moving)
	close(s.done)
	return s
}

// readRecord reads a record; one that says nothing is ErrDamaged.
func readRecord(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// recoverMounts finds what is mounted, and mounts again what should be: after a restart of the
// machine, that is all.
func (m *Manager) recoverMounts() error {
	shown, err := keep.MountsBelow(m.store.Path(targetsDir))
	if err != nil {
		return err
	}
	ids, err := m.store.records(mountsDir)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := m.recoverMount(id, shown[m.MountPoint(id)]); err != nil {
			return err
		}
	}
	return m.clearTargets()
}

// recoverMount is about one record, and the sources of what is mounted there.
func (m *Manager) recoverMount(id string, sources []string) error {
	var record mountRecord
	err := readRecord(m.store.recordPath(mountsDir, id), &record)
	if err == nil && len(record.Layers) == 0 {
		err = fmt.Errorf("%w: no layers", ErrDamaged)
	}
	if err == nil {
		err = m.whole(record.Layers...)
	}
	mount := &mounted{layers: record.Layers}
	if err == nil {
		m.mounts[id] = mount
		bootstrap := m.store.Path(imagesDir, m.imageKey(record.Layers), bootstrapFile)
		if len(sources) == 1 && keep.BackedBy(sources[0], bootstrap) {
			m.recovery.Mounts = append(m.recovery.Mounts, id)
			return nil
		}
		if err = m.mountAgain(id, record.Layers); err == nil {
			m.recovery.Mounts = append(m.recovery.Mounts, id)
			m.recovery.Remounted = append(m.recovery.Remounted, id)
			return nil
		}
		// Still wanted: a call of MountTarErofs or the next manager tries again.
		m.lost(err, mountsDir, id+recordSuffix)
		return nil
	}
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	m.lost(err, mountsDir, id+recordSuffix)
	if err := m.detach(id, mount); err != nil {
		m.logf("recovery: %v", err) // in use: the next manager tries again
	}
	return nil
}

func (m *Manager) mountAgain(id string, layers []string) error {
	target := m.MountPoint(id)
	if err := keep.UnmountTarget(target); err != nil {
		return err
	}
	if _, err := m.ensureWhole(m.ctx, layers); err != nil {
		return err
	}
	return m.attach(layers, target)
}

// clearTargets removes mount points without a record, which a crash leaves, empty.
func (m *Manager) clearTargets() error {
	entries, err := os.ReadDir(m.store.Path(targetsDir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		_, err := os.Lstat(m.store.recordPath(mountsDir, entry.Name()))
		if !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := keep.UnmountTarget(m.store.Path(targetsDir, entry.Name())); err != nil {
			m.logf("recovery: %v", err)
		}
	}
	return nil
}
