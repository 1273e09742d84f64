package tarfs

// #include <tarfs.h>
// #include "callback.h"
import "C"

import (
	"io"
	"runtime"
	"sync"
	"unsafe"
)

// Hasher hashes data of known length as it streams by. It is an io.WriteCloser.
//
// An error ends it: further calls are ErrWrongOrder.
type Hasher struct {
	handle *handle[*C.tarfs_hasher]
	// Held by the call at work. Nobody waits for it.
	busy *sync.Mutex
	// Of the call at work; the callback of hashes, which C keeps, finds it here too.
	outcome *outcome
}

// NewHasher starts a hash tree over size bytes: whole data blocks, at least one. Params may be nil
// for the preset "nydus". Hashes gets the hash blocks, not in ascending order; nil if the root hash
// is enough.
func NewHasher(params *VerityParams, size int64, hashes io.WriterAt) (*Hasher, error) {
	const op = "NewHasher"
	if size < 0 {
		return nil, invalid(op, "negative size")
	}
	h := &Hasher{busy: &sync.Mutex{}, outcome: &outcome{}}
	c := newCall(op, nil)
	defer c.end()
	given := params.c(c)
	var sink *C.tarfs_sink
	var kept *cell
	if hashes != nil {
		end, err := writeEnd(op, hashes)
		if err != nil {
			return nil, err
		}
		if end.file != nil {
			sink = c.sink(end, 0)
		} else {
			cell := newCell(&callback{outcome: h.outcome, write: end.write})
			kept = &cell
			sink = &C.tarfs_sink{
				size:  C.sizeof_tarfs_sink,
				write: C.tarfs_write_fn(C.tarfs_go_write),
				ctx:   unsafe.Pointer(cell.ctx),
			}
			c.pin.Pin(sink)
		}
	}
	var ptr *C.tarfs_hasher
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_hasher_new(given, C.uint64_t(size), sink, &ptr, err)
	})
	if err != nil {
		if kept != nil {
			kept.free()
		}
		return nil, err
	}
	h.handle = own(h, ptr, func(ptr *C.tarfs_hasher) {
		C.tarfs_hasher_free(ptr)
		if kept != nil {
			kept.free()
		}
	})
	return h, nil
}

// use makes a call that needs the hasher alone.
func (h *Hasher) use(op string, work func(c *call, ptr *C.tarfs_hasher) error) error {
	if h == nil || h.handle == nil {
		return invalid(op, "nil, or not made by NewHasher")
	}
	ptr, err := h.handle.acquire(op)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	defer h.handle.release()
	if !h.busy.TryLock() {
		return wrongOrder(op, "another call is at work on this hasher")
	}
	defer h.busy.Unlock()
	*h.outcome = outcome{}
	c := &call{op: op, outcome: h.outcome}
	defer c.end()
	return work(c, ptr)
}

// Write hashes the next bytes. 64 KiB or more at a time are fast. More than the size is ErrVerity.
func (h *Hasher) Write(p []byte) (int, error) {
	const op = "Hasher.Write"
	err := h.use(op, func(c *call, ptr *C.tarfs_hasher) error {
		data := (*C.uint8_t)(unsafe.SliceData(p))
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_hasher_push(ptr, data, C.size_t(len(p)), err)
		})
	})
	runtime.KeepAlive(p)
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteZeros hashes that many bytes, all zero.
func (h *Hasher) WriteZeros(bytes int64) error {
	const op = "Hasher.WriteZeros"
	return h.use(op, func(c *call, ptr *C.tarfs_hasher) error {
		if bytes < 0 {
			return invalid(op, "negative length")
		}
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_hasher_push_zeros(ptr, C.uint64_t(bytes), err)
		})
	})
}

// WriteLeaves takes the digests of the next data blocks, made earlier with the same data block size
// and salt; others are ErrVerity.
func (h *Hasher) WriteLeaves(leaves *Leaves) error {
	const op = "Hasher.WriteLeaves"
	return h.use(op, func(c *call, ptr *C.tarfs_hasher) error {
		return leaves.use(op, func(kept *C.tarfs_leaves) error {
			return c.do(func(err **C.tarfs_error) C.int32_t {
				return C.tarfs_hasher_push_leaves(ptr, kept, err)
			})
		})
	})
}

// Finish closes the tree. Less data than the size is ErrVerity. Whether it fails or not, the hasher
// is closed afterwards.
func (h *Hasher) Finish() (*Sealed, error) {
	const op = "Hasher.Finish"
	var sealed *Sealed
	err := h.use(op, func(c *call, ptr *C.tarfs_hasher) error {
		var made *C.tarfs_sealed
		err := c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_hasher_finish(ptr, &made, err)
		})
		if err == nil {
			sealed, err = newSealed(op, made)
		}
		return err
	})
	if h != nil {
		h.handle.close()
	}
	return sealed, err
}

// Close drops the tree, unless it is finished. It returns nil.
func (h *Hasher) Close() error {
	if h != nil {
		h.handle.close()
	}
	return nil
}
