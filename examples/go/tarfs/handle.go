//go:build cgo

package tarfs

import (
	"runtime"
	"sync"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/internal/hooks"
)

// handle owns one C object. It counts the calls under way, so that Close never frees what a call
// is using, and never waits for one either: a callback may close what called it.
//
// P is the pointer: cgo has no type for what it points to.
type handle[P any] struct {
	mu     sync.Mutex
	ptr    P
	users  int
	closed bool
	free   func(P)
}

// own takes over a C object, and has it freed when the Go object around it, of type O, is garbage.
// free must not refer to that.
func own[P, O any](object *O, ptr P, free func(P)) *handle[P] {
	hooks.Opened()
	h := &handle[P]{ptr: ptr, free: free}
	runtime.AddCleanup(object, (*handle[P]).close, h)
	return h
}

// acquire gives the C object until release.
func (h *handle[P]) acquire(op string) (ptr P, err error) {
	if h == nil {
		return ptr, invalid(op, "nil, or not made by this package")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		e := wrongOrder(op, "closed")
		e.closed = true
		return ptr, e
	}
	h.users++
	return h.ptr, nil
}

func (h *handle[P]) release() {
	h.mu.Lock()
	h.users--
	last := h.closed && h.users == 0
	h.mu.Unlock()
	if last {
		h.end()
	}
}

func (h *handle[P]) close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	last := !h.closed && h.users == 0
	h.closed = true
	h.mu.Unlock()
	if last {
		h.end()
	}
}

// end frees. It runs once: either close found no user, or release was the last one's.
func (h *handle[P]) end() {
	hooks.Stress()
	h.free(h.ptr)
	hooks.Stress()
	hooks.Closed()
}
