package tarfs

// #include <tarfs.h>
import "C"

import (
	"context"
	"io"
	"runtime"
)

// Leaves are the digests of the data blocks of one tar: the lowest level of hash trees. They do not
// change.
type Leaves struct {
	handle *handle[*C.tarfs_leaves]
}

func newLeaves(ptr *C.tarfs_leaves) *Leaves {
	l := &Leaves{}
	l.handle = own(l, ptr, func(ptr *C.tarfs_leaves) { C.tarfs_leaves_free(ptr) })
	return l
}

// leaves gives C a look at the leaves of so many sources, of which some have none; nil if none has.
func (c *call) leaves(leaves []*Leaves, sources int) (**C.tarfs_leaves, error) {
	if len(leaves) == 0 {
		return nil, nil
	}
	if len(leaves) != sources {
		return nil, invalid(c.op, "leaves and sources differ in number")
	}
	kept := make([]*C.tarfs_leaves, len(leaves))
	for i, one := range leaves {
		if one == nil {
			continue
		}
		ptr, err := one.handle.acquire(c.op)
		if err != nil {
			return nil, err
		}
		kept[i], c.inUse = ptr, append(c.inUse, one.handle.release)
	}
	c.pin.Pin(&kept[0])
	return &kept[0], nil
}

// NewLeaves makes leaves of digests that were kept: what [Leaves.Digests] gave, or level 0 of the
// hash tree of the tar as it is. Parameters are those they were made with; nil for the preset
// "nydus". Digests are 32 bytes for each data block.
func NewLeaves(params *VerityParams, digests []byte) (*Leaves, error) {
	const op = "NewLeaves"
	c := newCall(op, nil)
	defer c.end()
	given := params.c(c)
	data, n := c.bytes(digests)
	var ptr *C.tarfs_leaves
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_leaves_new(given, data, n, &ptr, err)
	})
	if err != nil {
		return nil, err
	}
	return newLeaves(ptr), nil
}

// ReadLeaves reads leaves back out of a hash tree: the digests of a layer, kept in the tree of its
// disk, serve every image that has the layer. They are verified against the root hash in sealed,
// which alone is trusted, ErrMismatch if the tree is not what it says; the data is not read. Hashes
// is the file of the data, or that of the tree.
//
// What is wanted are the leaves of size bytes of the data from byte offset on, the start of a data
// block: offset 0 if the source of [Layout.HashDisk] will be the disk, the device's DiskOffset if it
// will be the tar. A negative size is all. A last block that is not whole has no leaf.
//
// Where hashes is a regular file that many threads hash, 0 for as many as the machine has; else one.
func ReadLeaves(ctx context.Context, hashes io.ReaderAt, sealed *Sealed, offset uint64, size int64, threads int) (*Leaves, error) {
	const op = "ReadLeaves"
	bytes := ^C.uint64_t(0)
	if size >= 0 {
		bytes = C.uint64_t(size)
	}
	var ptr *C.tarfs_leaves
	err := sealed.use(op, func(sealed *C.tarfs_sealed) error {
		c := newCall(op, ctx)
		defer c.end()
		count, err := threadCount(op, threads)
		if err != nil {
			return err
		}
		source, _, err := c.readers(hashes)
		if err != nil {
			return err
		}
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_leaves_read(source, sealed, C.uint64_t(offset), bytes, count, &ptr, err)
		})
	})
	if err != nil {
		return nil, err
	}
	return newLeaves(ptr), nil
}

// Digests is a copy of them: 32 bytes for each whole data block, in order.
func (l *Leaves) Digests() ([]byte, error) {
	const op = "Leaves.Digests"
	var copied []byte
	err := l.use(op, func(ptr *C.tarfs_leaves) error {
		var data *C.uint8_t
		var n C.size_t
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_leaves_digests(ptr, &data, &n, err)
		})
		copied = []byte(text(data, n))
		return err
	})
	return copied, err
}

func (l *Leaves) use(op string, work func(ptr *C.tarfs_leaves) error) error {
	var h *handle[*C.tarfs_leaves]
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

// Close gives their memory back. It returns nil.
func (l *Leaves) Close() error {
	if l != nil {
		l.handle.close()
	}
	return nil
}
