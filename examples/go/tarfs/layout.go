package tarfs

// #include <tarfs.h>
import "C"

import (
	"runtime"
	"slices"
)

// LayoutInfo is the sizes and offsets of an image.
type LayoutInfo struct {
	// BlockSize is that of the filesystem in bytes.
	BlockSize uint32
	// Devices is how many device= options a mount of a bootstrap needs.
	Devices uint32
	// CopiedBytes is how many bytes of a disk are copies of bodies, with CopyBodies.
	CopiedBytes uint64
	// Inodes is how many.
	Inodes uint64
	// RootNID is the number of the root's inode in the image.
	RootNID uint64
	// MetadataBytes is the length of the metadata, head included: that of a bootstrap.
	MetadataBytes uint64
	// HeadBytes is the length of boot area, superblock and device table, at byte 0.
	HeadBytes uint64
	// BodyOffset is the byte at which the rest of the metadata starts.
	BodyOffset uint64
	// BodyBytes is the length of the rest of the metadata.
	BodyBytes uint64
	// DiskBytes is the length of the disk; of a bootstrap, what a disk of it would take.
	DiskBytes uint64
}

// Layout is the plan of an image. It does not change.
type Layout struct {
	handle   *handle[*C.tarfs_layout]
	info     LayoutInfo
	devices  []Device
	segments []Segment
}

// Plan decides every size and offset of an image. The tree may be closed afterwards. Options may be
// nil: a bootstrap. What does not fit EROFS is ErrLayout.
func Plan(t *Tree, opts *LayoutOptions) (*Layout, error) {
	const op = "Plan"
	if opts == nil {
		opts = &LayoutOptions{}
	}
	c := newCall(op, nil)
	defer c.end()
	given := opts.c(c)
	var ptr *C.tarfs_layout
	err := t.use(op, func(tree *C.tarfs_tree) error {
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layout_new(tree, given, &ptr, err)
		})
	})
	if err != nil {
		return nil, err
	}
	l := &Layout{}
	l.handle = own(l, ptr, func(ptr *C.tarfs_layout) { C.tarfs_layout_free(ptr) })
	if err := l.describe(op, ptr); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// describe asks for what does not change.
func (l *Layout) describe(op string, ptr *C.tarfs_layout) error {
	info := C.tarfs_layout_info{size: C.sizeof_tarfs_layout_info}
	err := simple(op, func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_layout_get_info(ptr, &info, err)
	})
	if err != nil {
		return err
	}
	l.info = LayoutInfo{
		BlockSize:     uint32(info.block_size),
		Devices:       uint32(info.devices),
		CopiedBytes:   uint64(info.copied_bytes),
		Inodes:        uint64(info.inodes),
		RootNID:       uint64(info.root_nid),
		MetadataBytes: uint64(info.metadata_bytes),
		HeadBytes:     uint64(info.head_bytes),
		BodyOffset:    uint64(info.body_offset),
		BodyBytes:     uint64(info.body_bytes),
		DiskBytes:     uint64(info.disk_bytes),
	}
	l.devices, err = devices(op, uint64(info.devices), func(i C.size_t, d *C.tarfs_device, err **C.tarfs_error) C.int32_t {
		return C.tarfs_layout_get_device(ptr, i, d, err)
	})
	if err != nil {
		return err
	}
	l.segments, err = segments(op, ptr, uint64(info.segments))
	return err
}

func (l *Layout) use(op string, work func(ptr *C.tarfs_layout) error) error {
	var h *handle[*C.tarfs_layout]
	if l != nil {
		h = l.handle
	}
	ptr, err := h.acquire(op)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(l)
	defer h.release()
	return work(ptr)
}

// Close gives the layout's memory back. It returns nil.
func (l *Layout) Close() error {
	if l != nil {
		l.handle.close()
	}
	return nil
}

// Info is the sizes and offsets. It works after Close, too.
func (l *Layout) Info() LayoutInfo {
	if l == nil {
		return LayoutInfo{}
	}
	return l.info
}

// Devices are those of the image, in the order of the device table, which is that of device=
// options. It works after Close, too.
func (l *Layout) Devices() []Device {
	if l == nil {
		return nil
	}
	return slices.Clone(l.devices)
}
