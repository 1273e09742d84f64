package tarfs

// #include <tarfs.h>
import "C"

import (
	"io"
	"runtime"
	"slices"
	"strings"
)

// Image is an image that was read: superblock, device table, metadata. It does not change.
type Image struct {
	handle  *handle[*C.tarfs_image]
	source  io.ReaderAt
	info    ImageInfo
	devices []Device
}

// ImageInfo is what a superblock says.
type ImageInfo struct {
	// BlockSize is that of the filesystem in bytes.
	BlockSize uint32
	// Devices is how many slots the device table has.
	Devices uint32
	// HoldsDevices says that the devices are inside the image's file: it is a disk, mounted as it
	// is. If not, each is a file of its own, named by a device= option.
	HoldsDevices bool
	// HasChecksum says that the superblock has one, which then was right.
	HasChecksum bool
	// End is that of the filesystem in its file in bytes: padding and a hash tree may follow.
	End uint64
	// Inodes is how many.
	Inodes uint64
	// RootNID is the number of the root's inode.
	RootNID uint64
	// FeatureCompat and FeatureIncompat are the fields of that name.
	FeatureCompat, FeatureIncompat uint32
	// Epoch is in seconds since 1970.
	Epoch int64
	// UUID is that of the filesystem.
	UUID [16]byte
	// VolumeName is its label.
	VolumeName string
}

// OpenImage opens an image, a bootstrap or a disk: reads its metadata, and checks superblock,
// checksum and device table. Of a disk that is an [*os.File] what lies in devices is not read; other
// readers are asked for all bytes. Size is the length of the image; for an [*os.File] 0 will do. The
// reader must stay as it is only for [Image.FS].
//
// What is malformed is ErrRead.
func OpenImage(r io.ReaderAt, size int64) (*Image, error) {
	const op = "OpenImage"
	if size < 0 {
		return nil, invalid(op, "negative size")
	}
	c := newCall(op, nil)
	defer c.end()
	source, _, err := c.readers(r)
	if err != nil {
		return nil, err
	}
	var ptr *C.tarfs_image
	err = c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_image_open(source, C.uint64_t(size), &ptr, err)
	})
	if err != nil {
		return nil, err
	}
	i := &Image{source: r}
	i.handle = own(i, ptr, func(ptr *C.tarfs_image) { C.tarfs_image_free(ptr) })
	if err := i.describe(op, ptr); err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

func (i *Image) describe(op string, ptr *C.tarfs_image) error {
	info := C.tarfs_image_info{size: C.sizeof_tarfs_image_info}
	err := simple(op, func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_image_get_info(ptr, &info, err)
	})
	if err != nil {
		return err
	}
	name := bytes16(info.volume_name)
	i.info = ImageInfo{
		BlockSize:       uint32(info.block_size),
		Devices:         uint32(info.devices),
		HoldsDevices:    info.holds_devices != 0,
		HasChecksum:     info.has_checksum != 0,
		End:             uint64(info.end),
		Inodes:          uint64(info.inodes),
		RootNID:         uint64(info.root_nid),
		FeatureCompat:   uint32(info.feature_compat),
		FeatureIncompat: uint32(info.feature_incompat),
		Epoch:           int64(info.epoch),
		UUID:            bytes16(info.uuid),
		VolumeName:      strings.TrimRight(string(name[:]), "\x00"),
	}
	i.devices, err = devices(op, uint64(info.devices), func(n C.size_t, d *C.tarfs_device, err **C.tarfs_error) C.int32_t {
		return C.tarfs_image_get_device(ptr, n, d, err)
	})
	return err
}

func (i *Image) use(op string, work func(ptr *C.tarfs_image) error) error {
	var h *handle[*C.tarfs_image]
	if i != nil {
		h = i.handle
	}
	ptr, err := h.acquire(op)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(i)
	defer h.release()
	return work(ptr)
}

// Close gives the image's memory back. Trees and file systems made of it live on. It returns nil.
func (i *Image) Close() error {
	if i != nil {
		i.handle.close()
	}
	return nil
}

// Info is what the superblock says. It works after Close, too.
func (i *Image) Info() ImageInfo {
	if i == nil {
		return ImageInfo{}
	}
	return i.info
}

// Devices are the slots of the device table, in its order, which is that of device= options. It
// works after Close, too.
func (i *Image) Devices() []Device {
	if i == nil {
		return nil
	}
	return slices.Clone(i.devices)
}

// ImageOptions is how a tree is made of an image.
type ImageOptions struct {
	// AsMounted leaves whiteouts, opaque and implied directories what they are in the image, as for
	// a listing, instead of making them properties of the tree, as for a merge.
	AsMounted bool
	// WholeFile is of a disk, or an index with its tar behind it: its file is one device, from its first
	// byte to its last. For an image that is merged over files of layers, with
	// [MergeOptions.DevicePerLayer]: containerd's fsmeta.erofs.
	WholeFile bool
	// Tag is for devices in a disk whose slot has none, and for the disk itself: up to 64 bytes.
	Tag string
	// Limits are how many inodes the image may have, and names a path in it: MaxInodes and MaxDepth.
	Limits Limits
}

// Tree makes a tree of the image, to be listed, read or merged. Its devices are those of the image,
// in the order of the device table; those of a disk, and the image's own if it has file data itself,
// lie in the file of the image, from their BaseOffset on. Options may be nil.
func (i *Image) Tree(opts *ImageOptions) (*Tree, error) {
	const op = "Image.Tree"
	if opts == nil {
		opts = &ImageOptions{}
	}
	c := newCall(op, nil)
	defer c.end()
	given := C.tarfs_image_options{size: C.sizeof_tarfs_image_options}
	if opts.AsMounted {
		given.flags |= C.TARFS_IMAGE_AS_MOUNTED
	}
	if opts.WholeFile {
		given.flags |= C.TARFS_IMAGE_WHOLE_FILE
	}
	given.tag, given.tag_len = c.text(opts.Tag)
	given.limits = opts.Limits.c(c)
	var tree *C.tarfs_tree
	err := i.use(op, func(ptr *C.tarfs_image) error {
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_image_get_tree(ptr, &given, &tree, err)
		})
	})
	if err != nil {
		return nil, err
	}
	return newTree(op, tree)
}

// FS is the image as the kernel would mount it. Devices are the files of its devices, in the order
// of [Image.Devices], for a bootstrap; a disk has them itself. The file system has a tree of its
// own, so close it; the image may be closed before.
func (i *Image) FS(devices ...io.ReaderAt) (*FS, error) {
	t, err := i.Tree(&ImageOptions{AsMounted: true})
	if err != nil {
		return nil, err
	}
	// What has no file of its own is in the image's.
	for len(devices) < len(t.devices) && (i.info.HoldsDevices || len(devices) >= int(i.info.Devices)) {
		devices = append(devices[:len(devices):len(devices)], i.source)
	}
	f := t.FS(devices...)
	f.owned = true
	return f, nil
}
