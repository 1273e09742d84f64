package snapshot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// mounted is the mount of an image: there, or wanted.
type mounted struct {
	mu   sync.Mutex // held by the call that mounts or unmounts
	refs int        // calls that have it in hand, counted under Manager.mu
	// layers of the image, the lowest first; nil without a record. It changes under both mutexes.
	layers []string
}

// mountOf finds or makes the mount of an ID, for one call at a time.
func (m *Manager) mountOf(id string) (mount *mounted, unlock func()) {
	m.mu.Lock()
	mount = m.mounts[id]
	if mount == nil {
		mount = &mounted{}
		m.mounts[id] = mount
	}
	mount.refs++
	m.mu.Unlock()
	mount.mu.Lock()
	return mount, func() {
		mount.mu.Unlock()
		m.mu.Lock()
		defer m.mu.Unlock()
		if mount.refs--; mount.refs == 0 && mount.layers == nil {
			delete(m.mounts, id)
		}
	}
}

// record makes a mount wanted, on the disk first; without layers it ends that.
func (m *Manager) record(id string, mount *mounted, layers []string) error {
	path := m.store.recordPath(mountsDir, id)
	var err error
	if layers == nil {
		err = keep.RemoveFile(path)
	} else {
		if err = keep.WriteJSON(path, &mountRecord{Layers: layers}); err != nil {
			// It may have its name by now, while a mount that failed keeps no layer.
			err = errors.Join(err, keep.RemoveFile(path))
		}
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	mount.layers = layers
	return nil
}

// MountPoint is where the image of a snapshot is mounted, or will be; empty for what is no ID.
func (m *Manager) MountPoint(snapshotID string) string {
	if checkID(snapshotID) != nil {
		return ""
	}
	return m.store.Path(targetsDir, snapshotID)
}

// MountTarErofs mounts the image that the parents of s are, which is merged unless it was, and
// returns where. Each of the image's devices is the tar that the image's device table names, in
// that order. The mount belongs to snapshotID, which is usually s.ID or the topmost parent's.
//
// Mounting again what is mounted does nothing; if it was of other parents, that is ErrExists. The
// mount outlives the manager, and after a restart of the machine NewManager mounts it again.
func (m *Manager) MountTarErofs(ctx context.Context, snapshotID string, s Snapshot) (mountpoint string, err error) {
	if err := checkID(snapshotID); err != nil {
		return "", err
	}
	end, err := m.begin()
	if err != nil {
		return "", err
	}
	defer end()
	layers, release, err := m.parents(ctx, s)
	if err != nil {
		return "", err
	}
	defer release()
	if _, err := m.ensureImage(ctx, layers); err != nil {
		return "", err
	}
	mount, unlock := m.mountOf(snapshotID)
	defer unlock()
	target := m.MountPoint(snapshotID)
	isNew := mount.layers == nil
	switch {
	case isNew:
		// The record first: what is mounted is always recorded.
		if err := m.record(snapshotID, mount, layers); err != nil {
			return "", err
		}
	case !slices.Equal(mount.layers, layers):
		return "", fmt.Errorf("%w: %s has another image mounted", ErrExists, snapshotID)
	case keep.IsMounted(target):
		return target, nil
	}
	if _, err = m.ensureWhole(ctx, layers); err == nil {
		err = m.attach(layers, target)
	}
	if err != nil {
		err = fmt.Errorf("mount %s: %w", snapshotID, err)
		if isNew {
			err = errors.Join(err, m.detach(snapshotID, mount))
		}
		return "", err
	}
	return target, nil
}

// attach mounts the image of layers, which was merged.
func (m *Manager) attach(layers []string, target string) error {
	key := m.imageKey(layers)
	err := m.store.check(imagesDir, key)
	for _, layer := range layers {
		err = errors.Join(err, m.store.check(layersDir, layer))
	}
	if err != nil {
		return err
	}
	bootstrap := m.store.Path(imagesDir, key, bootstrapFile)
	devices, err := m.devicesOf(bootstrap, layers)
	if err != nil {
		return err
	}
	if err := os.Mkdir(target, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	keep.Step()
	defer keep.Step()
	return m.options.Backing.mountFiles(bootstrap, devices, target)
}

// devicesOf finds the tars of an image's device table.
func (m *Manager) devicesOf(bootstrap string, layers []string) ([]string, error) {
	image, err := keep.OpenBootstrap(bootstrap)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	var paths []string
	for _, device := range image.Devices() {
		if !slices.Contains(layers, device.Tag) {
			return nil, fmt.Errorf("%w: the image's device %q is none of its layers", ErrDamaged, device.Tag)
		}
		paths = append(paths, m.store.Path(layersDir, device.Tag, tarFile))
	}
	return paths, nil
}

// detach unmounts, and ends that a mount is wanted.
func (m *Manager) detach(id string, mount *mounted) error {
	keep.Step()
	if err := keep.UnmountTarget(m.MountPoint(id)); err != nil {
		return err
	}
	return m.record(id, mount, nil)
}

// UmountTarErofs ends a mount. While someone uses it that is EBUSY, and it stays. A mount that is
// not there is ErrNotFound.
func (m *Manager) UmountTarErofs(snapshotID string) error {
	if err := checkID(snapshotID); err != nil {
		return err
	}
	end, err := m.begin()
	if err != nil {
		return err
	}
	defer end()
	there, err := m.unmount(snapshotID)
	if err == nil && !there {
		return fmt.Errorf("%w: %s is not mounted", ErrNotFound, snapshotID)
	}
	return err
}

// unmount ends a mount, and says whether there was one.
func (m *Manager) unmount(id string) (there bool, err error) {
	mount, unlock := m.mountOf(id)
	defer unlock()
	if mount.layers == nil {
		return false, nil
	}
	return true, m.detach(id, mount)
}
