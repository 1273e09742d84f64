package tarfs

import (
	"context"
	"io"
)

// Mode is what Export makes.
type Mode string

// The six modes, by their names.
const (
	// LayerBlock is a disk of each layer.
	LayerBlock Mode = "layer_block"
	// ImageBlock is a disk of the merged layers.
	ImageBlock Mode = "image_block"
	// LayerBlockWithVerity is a disk of each layer, a hash tree behind it.
	LayerBlockWithVerity Mode = "layer_block_with_verity"
	// ImageBlockWithVerity is a disk of the merged layers, a hash tree behind it.
	ImageBlockWithVerity Mode = "image_block_with_verity"
	// LayerVerityOnly is the hash tree alone of each layer's disk.
	LayerVerityOnly Mode = "layer_verity_only"
	// ImageVerityOnly is the hash tree alone of the merged layers' disk.
	ImageVerityOnly Mode = "image_verity_only"
)

// Modes are all six.
func Modes() []Mode {
	return []Mode{LayerBlock, ImageBlock, LayerBlockWithVerity, ImageBlockWithVerity, LayerVerityOnly, ImageVerityOnly}
}

// Source is a layer, and the files of its devices.
type Source struct {
	// Tree is the layer's.
	Tree *Tree
	// Devices are the files of its devices, in the order of [Tree.Devices].
	Devices []io.ReaderAt
	// Leaves are the digests kept of their data blocks, or nil, as are those that were not kept.
	Leaves []*Leaves
}

// ExportOptions is how images are exported. Zero values are defaults.
type ExportOptions struct {
	// Layout is that of the disk. Bootstrap, which is none, stands for DiskMetadataFirst. With a
	// BlockSize over 512 the disk carries copies of the bodies that do not lie on it.
	Layout LayoutOptions
	// Verity are the parameters of hash trees; nil for the preset "nydus". Where the hash area goes
	// follows from the mode. Data blocks larger than the filesystem's are an error, unless they are
	// AnyDataBlock.
	Verity *VerityParams
	// Merge is how the layers of an image mode are merged; nil for defaults.
	Merge *MergeOptions
	// Threads is how many hash; 0 for as many as the machine has.
	Threads int
}

// Exported is a file that Export made.
type Exported struct {
	// Path is its name.
	Path string
	// Size is its length in bytes.
	Size int64
	// Verity describes the hash tree; nil without one. It is the caller's to close.
	Verity *Sealed
	// Devices are those of the disk, in the order of its device table.
	Devices []Device
}

// Export makes disks and hash trees of layers, the lowest first, in one of six modes. A layer mode
// with several layers, or to a path that is a directory, writes a file for each layer into that
// directory, named by the layer's tag: TAG.disk, or TAG.verity for the tree alone.
//
// Files are written under temporary names in the same directory, synced, and renamed: when Export
// fails, or its context is done, there is nothing. Options may be nil.
func Export(ctx context.Context, mode Mode, layers []Source, path string, opts *ExportOptions) ([]Exported, error) {
	job, err := newJob(ctx, mode, layers, opts)
	if err != nil {
		return nil, err
	}
	return job.run(path)
}
