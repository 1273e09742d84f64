package snapshotter

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// Labels of committed snapshots that say what was exported: of the layer, or of the image that it is the topmost layer
// of. The value is DATA-BLOCKS,HASH-OFFSET,sha256:ROOT, as nydus-snapshotter has them. Without a hash tree it is empty,
// and a label without a value is none to containerd's storage.
const (
	labelLayerBlock = "containerd.io/snapshot/nydus-layer-block"
	labelImageBlock = "containerd.io/snapshot/nydus-image-block"
)

// exported are these labels, which nobody else sets.
var exported = []string{labelLayerBlock, labelImageBlock}

// exportedImage makes the disk of what a snapshot stands on, if the mode wants one, else that is zero; and holds it to
// the expected roots. The image is on that disk where the mode is of whole ones.
func (s *Snapshotter) exportedImage(ctx context.Context, info snapshots.Info, below []digest.Digest,
	image store.Image) (store.Image, store.Disk, error) {
	if isBind(info) {
		return image, store.Disk{}, nil
	}
	var disk store.Disk
	var err error
	if s.options.ExportMode.OfImage() {
		disk, err = s.store.Disk(ctx, s.options.ExportMode, below)
	}
	if err == nil {
		err = s.expected(info, disk)
	}
	if err == nil && s.onDisk() {
		image = image.On(disk)
	}
	return image, disk, err
}

// onDisk says that containers stand on the disk.
func (s *Snapshotter) onDisk() bool {
	return s.options.ExportMode.OfImage() && s.options.ExportMode.HasDisk()
}

// labelImage says at the topmost layer of an image what its disk is, in a transaction.
func labelImage(ctx context.Context, parent string, disk store.Disk) error {
	if disk.Path == "" {
		return nil
	}
	_, info, _, err := storage.GetInfo(ctx, parent)
	if err != nil {
		return err
	}
	if info.Labels[labelImageBlock] == disk.Label {
		return nil
	}
	if info.Labels == nil {
		info.Labels = map[string]string{}
	}
	info.Labels[labelImageBlock] = disk.Label
	_, err = storage.UpdateInfo(ctx, info, "labels."+labelImageBlock)
	return err
}

// Ready makes what a layer is to have when its snapshot is committed: containerd commits in a transaction of its own, in
// which nothing else of its metadata is written.
func (s *Snapshotter) Ready(ctx context.Context, layer store.Layer) error {
	return s.layerDisk(ctx, snapshots.Info{Labels: map[string]string{}}, layer)
}

// layerDisk makes the disk of a layer that is to be committed, if the mode wants one, and says so in its labels. One
// that needs lower layers, as it has a hard link into them, gets none.
func (s *Snapshotter) layerDisk(ctx context.Context, committed snapshots.Info, layer store.Layer) error {
	mode := s.options.ExportMode
	if mode == "" || mode.OfImage() {
		return nil
	}
	disk, err := s.store.Disk(ctx, mode, []digest.Digest{layer.DiffID})
	if errors.Is(err, tarfs.ErrLayout) {
		// Containers stand on what the layers merge into, so they have what is missing.
		s.log.Warn("a layer has no disk of its own", "layer", layer.DiffID, "mode", mode, "cause", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("layer %s: %w", layer.DiffID, err)
	}
	committed.Labels[labelLayerBlock] = disk.Label
	return nil
}
