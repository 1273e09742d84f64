package tarfs

// #include <tarfs.h>
import "C"

import (
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
