package snapshot

import (
	"context"
	"fmt"
	"slices"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// checkMode refuses a name that no export mode has.
func checkMode(mode tarfs.Mode) error {
	if !slices.Contains(tarfs.Modes(), mode) {
		return fmt.Errorf("%w: no export mode %q", ErrInvalid, mode)
	}
	return nil
}

// fileOf is what a mode writes.
func fileOf(mode tarfs.Mode) string {
	if mode.HasDisk() {
		return diskFile
	}
	return hashesFile
}

func labelOf(mode tarfs.Mode) string {
	if mode.OfImage() {
		return LabelImageBlock
	}
	return LabelLayerBlock
}

// Disk is what an export made.
type Disk struct {
	// Path of the file: the disk, or with a verity_only mode the hash tree of the disk that the
	// same layers give.
	Path string
	// Bytes is the file's length.
	Bytes int64
	// LabelName is LabelImageBlock or LabelLayerBlock.
	LabelName string
	// Label is its value; empty without verity.
	Label string
}

// Export makes a disk, or finds the one made earlier of the same layers by the same mode and
// parameters. A layer mode is about the layer of s itself, an image mode about its parents.
func (m *Manager) Export(ctx context.Context, s Snapshot, mode tarfs.Mode) (*Disk, error) {
	if err := checkMode(mode); err != nil {
		return nil, err
	}
	end, err := m.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	layers, release, err := m.exported(ctx, s, mode)
	if err != nil {
		return nil, err
	}
	defer release()
	key := m.diskKey(mode, layers)
	err = m.ensure(ctx, disksDir, key, func(ctx context.Context, dir string) (*keep.Item, error) {
		return m.export(ctx, mode, layers, dir)
	})
	if err != nil {
		return nil, fmt.Errorf("export %s of %s: %w", mode, s.ID, err)
	}
	return m.disk(key, mode)
}

// exported finds the layers that an export is of, and holds them.
func (m *Manager) exported(ctx context.Context, s Snapshot, mode tarfs.Mode) ([]string, func(), error) {
	if mode.OfImage() {
		return m.parents(ctx, s)
	}
	return m.parents(ctx, Snapshot{ID: s.ID, ParentIDs: []string{s.ID}})
}

// diskKey names a disk by everything that its bytes depend on.
func (m *Manager) diskKey(mode tarfs.Mode, layers []string) string {
	parts := []any{"disk", mode, layers, m.options.Layout}
	if mode.HasTree() {
		parts = append(parts, m.options.Verity)
	}
	if mode.OfImage() {
		parts = append(parts, m.mergeKey()...)
	}
	return keep.KeyOf(parts...)
}

func (m *Manager) disk(key string, mode tarfs.Mode) (*Disk, error) {
	it, err := m.store.Info(disksDir, key)
	if err != nil {
		return nil, err
	}
	return &Disk{
		Path: m.store.Path(disksDir, key, fileOf(mode)), Bytes: it.Files[fileOf(mode)],
		LabelName: labelOf(mode), Label: it.Label,
	}, nil
}

func (m *Manager) export(ctx context.Context, mode tarfs.Mode, layers []string, dir string) (*keep.Item, error) {
	sources, err := m.openLayers(ctx, layers)
	if err != nil {
		return nil, err
	}
	defer sources.Close()
	done, err := tarfs.Export(ctx, mode, sources.List, dir+"/"+fileOf(mode), &tarfs.ExportOptions{
		Layout: *m.options.Layout, Verity: m.options.Verity, Merge: m.mergeOptions(), Limits: m.options.Limits,
		NoSync: true, // Publish does
	})
	if err != nil {
		return nil, err
	}
	it := &keep.Item{Layers: layers, Mode: string(mode)}
	for i := range done {
		if sealed := done[i].Verity; sealed != nil {
			it.Label = sealed.NydusLabel()
			sealed.Close()
		}
	}
	return it, nil
}

// ImageDiskPath is where the disk of a snapshot's parents is, which the option ExportMode made.
func (m *Manager) ImageDiskPath(ctx context.Context, s Snapshot) (string, error) {
	return m.diskPath(ctx, s, true)
}

// LayerDiskPath is where the disk of a snapshot's layer is, which the option ExportMode made.
func (m *Manager) LayerDiskPath(ctx context.Context, snapshotID string) (string, error) {
	return m.diskPath(ctx, Snapshot{ID: snapshotID}, false)
}

func (m *Manager) diskPath(ctx context.Context, s Snapshot, image bool) (string, error) {
	mode := m.options.ExportMode
	if err := checkMode(mode); err != nil {
		return "", err
	}
	if mode.OfImage() != image {
		return "", fmt.Errorf("%w: export mode is %s", ErrInvalid, m.options.ExportMode)
	}
	layers, release, err := m.exported(ctx, s, mode)
	if err != nil {
		return "", err
	}
	defer release()
	key := m.diskKey(mode, layers)
	if has, err := m.store.Has(disksDir, key); err != nil {
		return "", err
	} else if !has {
		return "", fmt.Errorf("%w: no %s of %s was exported", ErrNotFound, m.options.ExportMode, s.ID)
	}
	return m.store.Path(disksDir, key, fileOf(mode)), nil
}
