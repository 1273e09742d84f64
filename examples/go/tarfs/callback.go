package tarfs

// #include <stdint.h>
// #include <stdlib.h>
// #include <tarfs.h>
// #include "callback.h"
import "C"

import (
	"context"
	"io"
	"math"
	"runtime"
	"runtime/cgo"
	"unsafe"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/internal/hooks"
)

// What a callback returns when it failed. The error itself waits in its outcome.
const callbackFailed = 1

// outcome is what the callbacks of one call have to say. They all run on the goroutine of the call.
type outcome struct {
	ctx      context.Context
	err      error
	panicked any
	done     uint64
}

// run guards a callback: an error is kept and ends the call, and so does a panic, which must not
// unwind through C.
func (o *outcome) run(work func() error) (status C.int32_t) {
	defer func() {
		if value := recover(); value != nil {
			o.panicked = value
			status = callbackFailed
		}
	}()
	err := work()
	if err == nil {
		err = done(o.ctx)
	}
	if err == nil {
		return 0
	}
	if o.err == nil {
		o.err = err
	}
	return callbackFailed
}

// done is why a context is done, or nil.
func done(ctx context.Context) error {
	if ctx == nil || ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// callback is what C calls back.
type callback struct {
	outcome *outcome
	read    io.ReaderAt
	write   func(offset int64, data []byte) error
	note    func(Note)
	exclude func(Named) (bool, error)
	label   func(Named) (string, error)
	// What label answered last, where C may look at it.
	answer runtime.Pinner
}

// cell is C memory that holds the handle of a callback: the void *ctx. An integer dressed up as a
// pointer would do for C, but not for Go's checks of pointers.
type cell struct {
	handle cgo.Handle
	what   *callback
	ctx    *C.uintptr_t
}

func newCell(c *callback) cell {
	hooks.Opened()
	ctx := (*C.uintptr_t)(C.malloc(C.size_t(unsafe.Sizeof(C.uintptr_t(0)))))
	handle := cgo.NewHandle(c)
	*ctx = C.uintptr_t(handle)
	return cell{handle, c, ctx}
}

func (c cell) free() {
	c.handle.Delete()
	c.what.answer.Unpin()
	C.free(unsafe.Pointer(c.ctx))
	hooks.Closed()
}

func of(ctx unsafe.Pointer) *callback {
	return cgo.Handle(*(*C.uintptr_t)(ctx)).Value().(*callback)
}

//export tarfs_go_read
func tarfs_go_read(ctx unsafe.Pointer, offset C.uint64_t, buf *C.uint8_t, n C.size_t) C.int32_t {
	c := of(ctx)
	return c.outcome.run(func() error {
		if uint64(offset) > math.MaxInt64-uint64(n) {
			return io.ErrUnexpectedEOF
		}
		into := unsafe.Slice((*byte)(buf), int(n))
		done, err := c.read.ReadAt(into, int64(offset))
		switch {
		case done == len(into):
			return nil
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err == nil:
			return io.ErrNoProgress
		}
		return err
	})
}

//export tarfs_go_write
func tarfs_go_write(ctx unsafe.Pointer, offset C.uint64_t, data *C.tarfs_go_bytes, n C.size_t) C.int32_t {
	c := of(ctx)
	return c.outcome.run(func() error {
		if uint64(offset) > math.MaxInt64-uint64(n) {
			return invalid("write", "no file is so long")
		}
		return c.write(int64(offset), unsafe.Slice((*byte)(data), int(n)))
	})
}

//export tarfs_go_progress
func tarfs_go_progress(ctx unsafe.Pointer, bytes C.uint64_t) C.int32_t {
	c := of(ctx)
	return c.outcome.run(func() error {
		c.outcome.done = uint64(bytes)
		return nil
	})
}
