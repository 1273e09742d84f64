package tarfs

// #include <tarfs.h>
import "C"

import (
	"encoding/hex"
	"fmt"
	"runtime"
)

// Sealed is geometry and root hash of sealed data. It does not change.
type Sealed struct {
	handle                  *handle[*C.tarfs_sealed]
	info                    SealedInfo
	nydus, kata, containerd string
}

// SealedInfo is the sizes and offsets of a hash tree, and its root hash.
type SealedInfo struct {
	// Root is the root hash of SHA-256; zeros of another algorithm.
	Root [32]byte
	// DataBlock and HashBlock are the block sizes in bytes.
	DataBlock, HashBlock uint32
	// DataBlocks is how many.
	DataBlocks uint64
	// DataBytes is the length of the data.
	DataBytes uint64
	// HashOffset is the byte offset of the hash area in its file, as veritysetup's --hash-offset
	// takes it.
	HashOffset uint64
	// TreeOffset is the byte offset of the tree in its file: behind the superblock, if there is one.
	TreeOffset uint64
	// TreeBytes is the length of the tree.
	TreeBytes uint64
	// End is the end of the hash area in its file.
	End uint64
	// Levels is how many the tree has.
	Levels int
	// HasSuperblock says whether there is one.
	HasSuperblock bool
	// UUID is that of the superblock.
	UUID [16]byte
	// Algorithm is what blocks are hashed with.
	Algorithm Algorithm
	// RootLen is the length of the root hash in bytes: 32, or 64 of SHA-512.
	RootLen int
	// LongRoot is the root hash, of RootLen bytes, zeros behind it.
	LongRoot [64]byte
}

func newSealed(op string, ptr *C.tarfs_sealed) (*Sealed, error) {
	s := &Sealed{}
	s.handle = own(s, ptr, func(ptr *C.tarfs_sealed) { C.tarfs_sealed_free(ptr) })
	if err := s.describe(op, ptr); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Sealed) describe(op string, ptr *C.tarfs_sealed) error {
	info := C.tarfs_sealed_info{size: C.sizeof_tarfs_sealed_info}
	err := simple(op, func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_sealed_get_info(ptr, &info, err)
	})
	if err != nil {
		return err
	}
	s.info = SealedInfo{
		Root:          bytes32(info.root),
		DataBlock:     uint32(info.data_block),
		HashBlock:     uint32(info.hash_block),
		DataBlocks:    uint64(info.data_blocks),
		DataBytes:     uint64(info.data_bytes),
		HashOffset:    uint64(info.hash_offset),
		TreeOffset:    uint64(info.tree_offset),
		TreeBytes:     uint64(info.tree_bytes),
		End:           uint64(info.end),
		Levels:        int(info.levels),
		HasSuperblock: info.has_superblock != 0,
		UUID:          bytes16(info.uuid),
		Algorithm:     Algorithm(info.algorithm),
		RootLen:       int(info.root_len),
		LongRoot:      bytes64(info.long_root),
	}
	for kind, to := range map[C.uint32_t]*string{
		C.TARFS_TEXT_NYDUS:      &s.nydus,
		C.TARFS_TEXT_KATA:       &s.kata,
		C.TARFS_TEXT_CONTAINERD: &s.containerd,
	} {
		if *to, err = s.text(op, kind); err != nil {
			return err
		}
	}
	return nil
}

// NewSealed says what is known of data that was sealed elsewhere: dataBytes is its length, whole
// data blocks, and root its root hash, of SHA-256. Params may be nil for the preset "nydus".
func NewSealed(params *VerityParams, dataBytes uint64, root [32]byte) (*Sealed, error) {
	return NewSealedRoot(params, dataBytes, root[:])
}

// NewSealedRoot is NewSealed with a root hash of either algorithm: of 32 bytes, or of 64 with SHA512.
func NewSealedRoot(params *VerityParams, dataBytes uint64, root []byte) (*Sealed, error) {
	const op = "NewSealed"
	if len(root) != params.digestLen() {
		return nil, invalid(op, fmt.Sprintf("a root hash of %d bytes, not of %d", len(root), params.digestLen()))
	}
	c := newCall(op, nil)
	defer c.end()
	given := params.c(c)
	digest, _ := c.bytes(root)
	var sealed *C.tarfs_sealed
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_sealed_new(given, C.uint64_t(dataBytes), digest, &sealed, err)
	})
	if err != nil {
		return nil, err
	}
	return newSealed(op, sealed)
}

// SealedFromSuperblock is the same from a superblock: it says parameters and length, placement the
// rest. The superblock is 512 bytes, from its offset on, which with HashAt is hashOffset. One of SHA-512 is
// ErrInvalidArgument: that is for ParseSealed.
func SealedFromSuperblock(superblock []byte, placement Placement, hashOffset uint64, root [32]byte) (*Sealed, error) {
	const op = "SealedFromSuperblock"
	c := newCall(op, nil)
	defer c.end()
	data, n := c.bytes(superblock)
	digest, _ := c.bytes(root[:])
	var sealed *C.tarfs_sealed
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_sealed_from_superblock(data, n, C.uint32_t(placement), C.uint64_t(hashOffset), digest, &sealed, err)
	})
	if err != nil {
		return nil, err
	}
	return newSealed(op, sealed)
}

// ParseSealed is the same from a superblock of any algorithm, with the root hash as 64 hex digits, 128 of SHA-512.
func ParseSealed(superblock []byte, placement Placement, hashOffset uint64, root string) (*Sealed, error) {
	const op = "ParseSealed"
	c := newCall(op, nil)
	defer c.end()
	var names cStrings
	defer names.free()
	text := names.add(root)
	if names.bad {
		return nil, invalid(op, "a NUL in the root hash")
	}
	data, n := c.bytes(superblock)
	var sealed *C.tarfs_sealed
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_sealed_parse(data, n, C.uint32_t(placement), C.uint64_t(hashOffset), text, &sealed, err)
	})
	if err != nil {
		return nil, err
	}
	return newSealed(op, sealed)
}

func (s *Sealed) use(op string, work func(ptr *C.tarfs_sealed) error) error {
	var h *handle[*C.tarfs_sealed]
	if s != nil {
		h = s.handle
	}
	ptr, err := h.acquire(op)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(s)
	defer h.release()
	return work(ptr)
}

// Close gives its memory back. It returns nil.
func (s *Sealed) Close() error {
	if s != nil {
		s.handle.close()
	}
	return nil
}

// Info is sizes, offsets and root hash. It works after Close, too.
func (s *Sealed) Info() SealedInfo {
	if s == nil {
		return SealedInfo{}
	}
	return s.info
}

// Root is the root hash of SHA-256; zeros of another algorithm. It works after Close, too.
func (s *Sealed) Root() [32]byte {
	return s.Info().Root
}

// RootHex is the root hash as 64 hex digits, 128 of SHA-512. It works after Close, too.
func (s *Sealed) RootHex() string {
	info := s.Info()
	return hex.EncodeToString(info.LongRoot[:info.RootLen])
}
