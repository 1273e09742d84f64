package tarfs

// #include <stdlib.h>
// #include <tarfs.h>
import "C"

import (
	"runtime"
	"slices"
	"unsafe"
)

// Artifact is what an image is.
type Artifact uint32

// The artifacts.
const (
	// Bootstrap is metadata alone, mounted with one device= option for each device.
	Bootstrap Artifact = C.TARFS_BOOTSTRAP
	// DiskMetadataFirst is one file: metadata, then the devices at multiples of Align.
	DiskMetadataFirst Artifact = C.TARFS_DISK_METADATA_FIRST
	// DiskDataFirst is one file: a head of 4096 bytes or some more, the devices, then the metadata.
	DiskDataFirst Artifact = C.TARFS_DISK_DATA_FIRST
)

// LayoutOptions is how an image is laid out. Zero values are defaults.
type LayoutOptions struct {
	// Artifact is Bootstrap if it is 0.
	Artifact Artifact
	// BlockSize is that of the filesystem: a power of two from 512 to 65536; 0 for 512.
	BlockSize uint32
	// Align is what devices start at multiples of, with DiskMetadataFirst; 0 for 4096. Nydus has
	// 524288.
	Align uint64
	// UUID is that of the filesystem; zeros for one that follows from its content. [BlobUUID] has
	// containerd's.
	UUID [16]byte
	// VolumeName is up to 15 bytes.
	VolumeName string
	// AUFSWhiteouts writes whiteouts as files named ".wh.NAME", as in tars, instead of in
	// overlayfs's form.
	AUFSWhiteouts bool
	// ChunkIndexes has regular files refer to their bytes by chunk indexes, also where a plain inode
	// would do. Bootstraps do so without it, since every reader takes them, unless they are Compact.
	ChunkIndexes bool
	// PlainBodies has files in one piece be plain inodes in a bootstrap too: 32 bytes less a file, but
	// only kernels read it right.
	PlainBodies bool
	// Checksum gives the superblock a checksum, whatever the block size. libblkid 2.41 and 2.42 do
	// not recognise blocks below 2048 bytes with one.
	Checksum bool
	// NoChecksum gives it none, whatever the block size.
	NoChecksum bool
	// CopyBodies has a disk carry copies of the bodies that do not lie on multiples of BlockSize: those
	// of tars lie on 512. So any tar gives a disk for sectors, or dm-verity data blocks, of 4096 bytes.
	CopyBodies bool
	// Compact gives small inodes mtimes of their own: less metadata, but only kernels read it right,
	// from Linux 6.15 on.
	Compact bool
}

// BlobUUID is the UUID that containerd gives the EROFS image of a layer: a SHA-1 UUID in the URL
// namespace, of "erofs:blobs/" and the digest of its descriptor, such as "sha256:…".
func BlobUUID(digest string) (id [16]byte, err error) {
	text := C.CString(digest)
	defer C.free(unsafe.Pointer(text))
	err = simple("BlobUUID", func(failed **C.tarfs_error) C.int32_t {
		return C.tarfs_uuid_of_blob(text, (*C.uint8_t)(unsafe.Pointer(&id)), failed)
	})
	return id, err
}

func (o *LayoutOptions) c(call *call) *C.tarfs_layout_options {
	given := &C.tarfs_layout_options{
		size:       C.sizeof_tarfs_layout_options,
		artifact:   C.uint32_t(o.Artifact),
		block_size: C.uint32_t(o.BlockSize),
		align:      C.uint64_t(o.Align),
		uuid:       uuid(o.UUID),
	}
	if o.AUFSWhiteouts {
		given.flags |= C.TARFS_LAYOUT_AUFS_WHITEOUTS
	}
	if o.ChunkIndexes {
		given.flags |= C.TARFS_LAYOUT_CHUNK_INDEXES
	}
	if o.PlainBodies {
		given.flags |= C.TARFS_LAYOUT_PLAIN_BODIES
	}
	if o.Checksum {
		given.flags |= C.TARFS_LAYOUT_CHECKSUM
	}
	if o.NoChecksum {
		given.flags |= C.TARFS_LAYOUT_NO_CHECKSUM
	}
	if o.CopyBodies {
		given.flags |= C.TARFS_LAYOUT_COPY_BODIES
	}
	if o.Compact {
		given.flags |= C.TARFS_LAYOUT_COMPACT
	}
	given.volume_name, given.volume_name_len = call.text(o.VolumeName)
	call.pin.Pin(given)
	return given
}

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

// SegmentKind is what a part of a disk is.
type SegmentKind uint32

// The kinds of segments.
const (
	// SegmentHead is the head: WriteMetadata writes it.
	SegmentHead SegmentKind = C.TARFS_SEGMENT_HEAD
	// SegmentBody is the rest of the metadata: likewise.
	SegmentBody SegmentKind = C.TARFS_SEGMENT_BODY
	// SegmentDevice is a part of a device's file.
	SegmentDevice SegmentKind = C.TARFS_SEGMENT_DEVICE
	// SegmentZeros is zeros; a hole will do.
	SegmentZeros SegmentKind = C.TARFS_SEGMENT_ZEROS
	// SegmentCarried is of a file whose bytes the layer has itself: WriteDisk writes it.
	SegmentCarried SegmentKind = C.TARFS_SEGMENT_CARRIED
)

// Segment is a part of a disk.
type Segment struct {
	// Offset is the byte of the disk at which it starts: where the one before ends.
	Offset uint64
	// Bytes is its length.
	Bytes uint64
	// Kind is what it is.
	Kind SegmentKind
	// Device is the index of its device, if it is a part of one.
	Device int
	// DeviceOffset is the byte of the device's file at which it starts.
	DeviceOffset uint64
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
	for i := range uint64(info.segments) {
		s := C.tarfs_segment{size: C.sizeof_tarfs_segment}
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layout_get_segment(ptr, C.size_t(i), &s, err)
		})
		if err != nil {
			return err
		}
		l.segments = append(l.segments, Segment{
			Offset:       uint64(s.offset),
			Bytes:        uint64(s.bytes),
			Kind:         SegmentKind(s.kind),
			Device:       int(s.device),
			DeviceOffset: uint64(s.device_offset),
		})
	}
	return nil
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

// Segments are the parts of the disk, in ascending order without gaps; those of a bootstrap are of
// the disk that its unified addresses describe. It works after Close, too.
func (l *Layout) Segments() []Segment {
	if l == nil {
		return nil
	}
	return slices.Clone(l.segments)
}
