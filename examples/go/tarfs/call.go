package tarfs

// #include <tarfs.h>
// #include "callback.h"
import "C"

import (
	"context"
	"io"
	"os"
	"runtime"
	"unsafe"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/internal/hooks"
)

// call is one call into C: its arguments, kept where C may look at them, and how it ends.
type call struct {
	op      string
	outcome *outcome
	pin     runtime.Pinner
	cells   []cell
	// Files that must stay open, and where their descriptors go.
	files []*os.File
	fds   []*C.int32_t
	// What gives back the objects of C that are in use.
	inUse []func()
}

func newCall(op string, ctx context.Context) *call {
	return &call{op: op, outcome: &outcome{ctx: ctx}}
}

// simple makes a call that has no callbacks and cannot be cancelled.
func simple(op string, work func(err **C.tarfs_error) C.int32_t) error {
	var failed *C.tarfs_error
	hooks.Stress()
	status := work(&failed)
	hooks.Stress()
	if status == 0 {
		return nil
	}
	return takeError(op, status, failed)
}

// do makes the call, and ends it. An error of a callback comes back as it is.
func (c *call) do(work func(err **C.tarfs_error) C.int32_t) error {
	defer c.end()
	if err := done(c.outcome.ctx); err != nil {
		return err
	}
	var err error
	held := c.hold(0, func() { err = simple(c.op, work) })
	if held != nil {
		return held
	}
	if value := c.outcome.panicked; value != nil {
		c.outcome.panicked = nil
		panic(value)
	}
	if failed, ok := err.(*Error); ok && failed.Status == callbackFailed && c.outcome.err != nil {
		return c.outcome.err
	}
	return err
}

// hold keeps the files from being closed, by whomever, while work runs.
func (c *call) hold(from int, work func()) error {
	if from == len(c.files) {
		work()
		return nil
	}
	raw, err := c.files[from].SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		*c.fds[from] = C.int32_t(fd)
		inner = c.hold(from+1, work)
	})
	if err != nil {
		return err
	}
	return inner
}

// end gives back what the call had. Calling it again does nothing.
func (c *call) end() {
	c.pin.Unpin()
	for _, cell := range c.cells {
		cell.free()
	}
	for _, release := range c.inUse {
		release()
	}
	c.cells, c.files, c.fds, c.inUse = nil, nil, nil, nil
}

// bytes gives C a look at a slice for the time of the call.
func (c *call) bytes(b []byte) (*C.uint8_t, C.size_t) {
	if len(b) == 0 {
		return nil, 0
	}
	c.pin.Pin(unsafe.SliceData(b))
	return (*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b))
}

func (c *call) text(s string) (*C.uint8_t, C.size_t) {
	return c.bytes([]byte(s))
}

// context makes a cell for a callback, which lives as long as the call.
func (c *call) context(callback callback) unsafe.Pointer {
	callback.outcome = c.outcome
	cell := newCell(&callback)
	c.cells = append(c.cells, cell)
	return unsafe.Pointer(cell.ctx)
}

// sources fills an array that C reads from; it is nil if there are none.
func (c *call) sources(ends []endpoint) (*C.tarfs_source, C.size_t) {
	if len(ends) == 0 {
		return nil, 0
	}
	sources := make([]C.tarfs_source, len(ends))
	c.pin.Pin(&sources[0])
	for i := range sources {
		s := &sources[i]
		s.size = C.sizeof_tarfs_source
		if ends[i].file != nil {
			c.files, c.fds = append(c.files, ends[i].file), append(c.fds, &s.fd)
			continue
		}
		s.read = C.tarfs_read_fn(C.tarfs_go_read)
		s.ctx = c.context(callback{read: ends[i].read})
	}
	return &sources[0], C.size_t(len(sources))
}

// readers is sources of readers.
func (c *call) readers(readers ...io.ReaderAt) (*C.tarfs_source, C.size_t, error) {
	ends := make([]endpoint, len(readers))
	for i, r := range readers {
		var err error
		if ends[i], err = readEnd(c.op, r); err != nil {
			return nil, 0, err
		}
	}
	sources, count := c.sources(ends)
	return sources, count, nil
}

// sink is where C writes to.
func (c *call) sink(end endpoint, offset uint64) *C.tarfs_sink {
	s := &C.tarfs_sink{size: C.sizeof_tarfs_sink, offset: C.uint64_t(offset)}
	c.pin.Pin(s)
	if end.file != nil {
		c.files, c.fds = append(c.files, end.file), append(c.fds, &s.fd)
		return s
	}
	s.write = C.tarfs_write_fn(C.tarfs_go_write)
	s.ctx = c.context(callback{write: end.write})
	return s
}

// writer is a sink of a writer.
func (c *call) writer(w io.WriterAt) (*C.tarfs_sink, error) {
	end, err := writeEnd(c.op, w)
	if err != nil {
		return nil, err
	}
	return c.sink(end, 0), nil
}

// optional is a sink of a writer, or of none.
func (c *call) optional(w io.WriterAt) (*C.tarfs_sink, error) {
	if w == nil {
		return nil, nil
	}
	return c.writer(w)
}

// progress has C ask, as it goes, whether to go on.
func (c *call) progress() (C.tarfs_progress_fn, unsafe.Pointer) {
	if c.outcome.ctx == nil || c.outcome.ctx.Done() == nil {
		return nil, nil
	}
	return c.counted()
}

// counted is progress that also counts, whatever the context.
func (c *call) counted() (C.tarfs_progress_fn, unsafe.Pointer) {
	return C.tarfs_progress_fn(C.tarfs_go_progress), c.context(callback{})
}
