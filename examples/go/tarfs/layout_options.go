package tarfs

// #include <stdlib.h>
// #include <tarfs.h>
import "C"

import "unsafe"

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
	// Limits are how much the image may cost, of chunk tables and of all metadata. Its bytes do not depend on them, so
	// they are not in the JSON by which some name what they make.
	Limits Limits `json:"-"`
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
		limits:     o.Limits.c(call),
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
