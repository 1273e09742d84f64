package snapshot

import (
	"context"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// Labels of snapshots, and what a value says.
const (
	// LabelTarfsLayer marks a layer's snapshot; its value is the hex part of the blob's digest.
	LabelTarfsLayer = "containerd.io/snapshot/nydus-tarfs"
	// LabelImageBlock is on the snapshot of an image's topmost layer if there is a disk of the
	// image: "N,M,sha256:ROOT", N data blocks of 512 bytes, M the byte offset of the hash tree, or
	// empty for a disk without verity.
	LabelImageBlock = "containerd.io/snapshot/nydus-image-block"
	// LabelLayerBlock is the same for a disk of a layer, on the layer's snapshot.
	LabelLayerBlock = "containerd.io/snapshot/nydus-layer-block"
)

// fieldPrefix makes a label's name the path of a field to update, as containerd's snapshotters have it.
const fieldPrefix = "labels."

// ExportBlockData makes the disk that the option ExportMode asks for and sets its label, whether
// the disk was there already or not. It is called for each layer's snapshot with perLayer, and for
// each container's without, and returns the fields it set; a mode that does not concern the call
// sets none. With layer_block, as snapshotters expect it, a container's snapshot gets an empty
// label of its own.
func (m *Manager) ExportBlockData(ctx context.Context, s Snapshot, perLayer bool, labels map[string]string) ([]string, error) {
	if m.options.ExportMode == "" {
		return nil, nil
	}
	mode := m.options.ExportMode
	if err := checkMode(mode); err != nil {
		return nil, err
	}
	set := func(name, value string) []string {
		labels[name] = value
		return []string{fieldPrefix + name}
	}
	if mode.OfImage() == perLayer {
		if mode == tarfs.LayerBlock {
			return set(LabelLayerBlock, ""), nil
		}
		return nil, nil
	}
	disk, err := m.Export(ctx, s, mode)
	if err != nil {
		return nil, err
	}
	return set(disk.LabelName, disk.Label), nil
}
