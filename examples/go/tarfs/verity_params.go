package tarfs

// #include <stdlib.h>
// #include <tarfs.h>
import "C"

import "unsafe"

// SuperblockMode is whether a hash tree has a superblock.
type SuperblockMode uint32

// The superblock modes.
const (
	// SuperblockNone: there is none.
	SuperblockNone SuperblockMode = C.TARFS_SUPERBLOCK_NONE
	// SuperblockDerived: its UUID follows from the root hash, so that the bytes are reproducible.
	SuperblockDerived SuperblockMode = C.TARFS_SUPERBLOCK_DERIVED
	// SuperblockUUID: it has the UUID given.
	SuperblockUUID SuperblockMode = C.TARFS_SUPERBLOCK_UUID
)

// Placement is where the hash area goes.
type Placement uint32

// The placements.
const (
	// HashOwnFile: in a file of its own, from byte 0.
	HashOwnFile Placement = C.TARFS_HASH_OWN_FILE
	// HashBehindData: in the file of the data, at the first multiple of both block sizes behind it.
	HashBehindData Placement = C.TARFS_HASH_BEHIND_DATA
	// HashAt: in the file of the data, at HashOffset.
	HashAt Placement = C.TARFS_HASH_AT
)

// Algorithm is what blocks are hashed with.
type Algorithm uint32

// The algorithms.
const (
	// SHA256 is what everybody takes.
	SHA256 Algorithm = C.TARFS_ALGORITHM_SHA256
	// SHA512 has digests of 64 bytes.
	SHA512 Algorithm = C.TARFS_ALGORITHM_SHA512
)

// VerityParams are those of a dm-verity hash tree. Zero values are those of the
// preset "nydus", and so is nil, wherever parameters are wanted.
type VerityParams struct {
	// DataBlock is the data block size: a power of two from 512 to 524288; 0 for 512.
	DataBlock uint32
	// HashBlock is the hash block size: likewise; 0 for 4096.
	HashBlock uint32
	// Salt is hashed in front of every block: up to 256 bytes.
	Salt []byte
	// Superblock is whether there is one.
	Superblock SuperblockMode
	// UUID is that of the superblock, with SuperblockUUID.
	UUID [16]byte
	// Placement is where the hash area goes.
	Placement Placement
	// HashOffset is the byte offset of the hash area, with HashAt.
	HashOffset uint64
	// AnyDataBlock allows data blocks larger than the filesystem's: the disk is not for a mount by
	// Linux, which opens the device and refuses the mount.
	AnyDataBlock bool
	// Algorithm is what blocks are hashed with; SHA256 by default.
	Algorithm Algorithm
	// ChromeOS hashes the salt behind each block: format 0 of veritysetup.
	ChromeOS bool
}

// digestLen is the length of a digest in bytes.
func (p *VerityParams) digestLen() int {
	if p != nil && p.Algorithm == SHA512 {
		return 64
	}
	return 32
}

// c is the parameters for C, for the time of a call; nil for nil.
func (p *VerityParams) c(call *call) *C.tarfs_verity_params {
	if p == nil {
		return nil
	}
	given := &C.tarfs_verity_params{
		size:        C.sizeof_tarfs_verity_params,
		data_block:  C.uint32_t(p.DataBlock),
		hash_block:  C.uint32_t(p.HashBlock),
		superblock:  C.uint32_t(p.Superblock),
		placement:   C.uint32_t(p.Placement),
		hash_offset: C.uint64_t(p.HashOffset),
		uuid:        uuid(p.UUID),
		algorithm:   C.uint32_t(p.Algorithm),
	}
	if p.ChromeOS {
		given.flags |= C.TARFS_VERITY_CHROME_OS
	}
	if p.AnyDataBlock {
		given.flags |= C.TARFS_VERITY_ANY_DATA_BLOCK
	}
	given.salt, given.salt_len = call.bytes(p.Salt)
	call.pin.Pin(given)
	return given
}

// Preset gives the parameters that others have: "nydus" (512/4096, no salt, no superblock),
// "containerd" (512/512, salt of 32 zero bytes, superblock), "containerd-4k" (the same with
// 4096/4096) or "veritysetup" (4096/4096, superblock, no salt: the caller sets one). Any other name
// is ErrInvalidArgument.
func Preset(name string) (*VerityParams, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	given := C.tarfs_verity_params{size: C.sizeof_tarfs_verity_params}
	err := simple("Preset", func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_verity_preset(text, &given, err)
	})
	if err != nil {
		return nil, err
	}
	return &VerityParams{
		DataBlock:  uint32(given.data_block),
		HashBlock:  uint32(given.hash_block),
		Salt:       C.GoBytes(unsafe.Pointer(given.salt), C.int(given.salt_len)),
		Superblock: SuperblockMode(given.superblock),
		Placement:  Placement(given.placement),
	}, nil
}

// Padding is how many zero bytes to append to that many bytes of data before they are hashed, so
// that they are whole data blocks: a tail that does not fill a block would not be protected.
func (p *VerityParams) Padding(dataBytes uint64) (uint64, error) {
	c := newCall("VerityParams.Padding", nil)
	defer c.end()
	given := p.c(c)
	var padding C.uint64_t
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_verity_padding(given, C.uint64_t(dataBytes), &padding, err)
	})
	return uint64(padding), err
}
