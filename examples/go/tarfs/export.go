package tarfs

// #include <tarfs.h>
import "C"

import (
	"context"
	"io"
	"runtime"
	"strings"
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

// OfImage says whether one file is made of all layers, instead of one of each.
func (m Mode) OfImage() bool { return strings.HasPrefix(string(m), "image_") }

// HasDisk says whether the disk is written, and not its hash tree alone.
func (m Mode) HasDisk() bool { return m != "" && !strings.HasSuffix(string(m), "_verity_only") }

// HasTree says whether a hash tree is made.
func (m Mode) HasTree() bool { return strings.Contains(string(m), "_verity") }

// Form is what a disk comes out as.
type Form string

// The forms. The last two leave the files of the layers where they are, which have to stay, and put
// all the rest into a file beside the output, PATH.metadata.
const (
	// FormRaw is a file with all bytes in it; the default.
	FormRaw Form = "raw"
	// FormVMDK is a descriptor over the files of the layers, for QEMU and other virtual machines.
	FormVMDK Form = "vmdk"
	// FormDMLinear is a script that makes a device-mapper device over the files of the layers.
	FormDMLinear Form = "dm-linear"
)

// Partitions is how disks are put into one, a GPT partition each.
type Partitions string

// The partitions.
const (
	// PartitionsLinux are of the type "Linux filesystem data", one for each filesystem.
	PartitionsLinux Partitions = "linux"
	// PartitionsRoot are one image as the Discoverable Partitions Specification has it: a root
	// partition, and its hash tree in another.
	PartitionsRoot Partitions = "dps"
	// PartitionsUsr are the same of a /usr partition.
	PartitionsUsr Partitions = "dps-usr"
)

// Source is a layer: a tar, or a tree and the files of its devices.
type Source struct {
	// Tar is the path of an uncompressed tar, which Export indexes and hashes itself; "" for Tree.
	Tar string
	// Tree is the layer's.
	Tree *Tree
	// Devices are the files of its devices, in the order of [Tree.Devices].
	Devices []io.ReaderAt
	// Leaves are the digests kept of their data blocks, or nil, as are those that were not kept.
	Leaves []*Leaves
}

// Tars are the layers of uncompressed tars, the lowest first.
func Tars(paths ...string) []Source {
	layers := make([]Source, len(paths))
	for i, path := range paths {
		layers[i].Tar = path
	}
	return layers
}

// ExportOptions is how images are exported. Zero values are defaults.
type ExportOptions struct {
	// Form is what a disk comes out as; "" for FormRaw. Others want layers that are regular files.
	Form Form
	// Partitions puts the disks into one, and wants layers that are regular files; "" for none. PartitionsRoot and PartitionsUsr want an
	// Architecture.
	Partitions Partitions
	// Architecture is what a volume is for, as "amd64".
	Architecture string
	// Layout is that of the disk. Bootstrap, which is none, stands for DiskMetadataFirst. With a
	// BlockSize over 512 the disk carries copies of the bodies that do not lie on it.
	Layout LayoutOptions
	// Verity are the parameters of hash trees; nil for the preset "nydus". Where the hash area goes
	// follows from the mode. Data blocks larger than the filesystem's are an error, unless they are
	// AnyDataBlock.
	Verity *VerityParams
	// Merge is how the layers of an image mode are merged; nil for defaults.
	Merge *MergeOptions
	// Changes is what is made otherwise than the layers say, when they are merged; in layer modes in each. Nil for
	// nothing.
	Changes *Changes
	// Threads is how many hash; 0 for as many as the machine has.
	Threads int
	// NoSync does not bring files to the disk: after a power cut they may be empty, or not whole.
	NoSync bool
	// Limits are how much all of it may cost: each tar, the layers merged, each image. If none is set, those of Layout and
	// Merge count.
	Limits Limits
}

// Exported is a file that Export made.
type Exported struct {
	// Path is its name.
	Path string
	// Size is the length of the disk, or of the hash tree alone, in bytes.
	Size int64
	// Verity describes the hash tree, with Partitions that of the first filesystem; nil without one.
	// It is the caller's to close.
	Verity *Sealed
	// Devices are those of the disk, in the order of its device table; with Partitions those of the
	// first filesystem.
	Devices []Device
	// Filesystems are those in it: one, or with PartitionsLinux one for each layer of a layer mode, in
	// their order. Verity and Devices are the first one's.
	Filesystems []Filesystem
}

// Filesystem is one of those in a file that Export made.
type Filesystem struct {
	// Verity describes its hash tree; nil without one. It is the caller's to close.
	Verity *Sealed
	// Devices are its devices, in the order of its device table.
	Devices []Device
}

// Export makes disks and hash trees of layers, the lowest first, in one of six modes. A layer mode
// with several layers, or to a path that is a directory, writes a file for each layer into that
// directory, named by the layer's tag: TAG.disk, TAG.verity for the tree alone, TAG.vmdk and TAG.sh for
// forms. With Partitions it is one file in any case.
//
// Files get their names when all are whole and synced, and nothing is lost by a power cut when Export returns,
// unless there is NoSync: when Export fails, or its context is done, there
// is nothing. Options may be nil.
func Export(ctx context.Context, mode Mode, layers []Source, path string, opts *ExportOptions) ([]Exported, error) {
	const op = "Export"
	if opts == nil {
		opts = &ExportOptions{}
	}
	c := newCall(op, ctx)
	defer c.end()
	var names cStrings
	defer names.free()
	given, err := exportLayers(c, &names, layers)
	if err != nil {
		return nil, err
	}
	out, how := names.add(path), opts.c(c, &names, mode)
	if names.bad {
		return nil, invalid(op, "a NUL in a word")
	}
	var first *C.tarfs_export_layer
	if len(given) > 0 {
		first = &given[0]
		c.pin.Pin(first)
	}
	progress, progressCtx := c.progress()
	var made *C.tarfs_exported
	err = c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_export(first, C.size_t(len(given)), out, how, progress, progressCtx, &made, err)
	})
	runtime.KeepAlive(layers)
	if err != nil {
		return nil, err
	}
	defer C.tarfs_exported_free(made)
	return exported(op, made)
}
