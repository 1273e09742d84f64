package tarfs

// #include <tarfs.h>
// #include "callback.h"
import "C"

import (
	"context"
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// LayerWriter takes a tar, in pieces of any size, and makes a layer of it. It is an io.WriteCloser
// and an io.ReaderFrom.
//
// An error ends it: further calls are ErrWrongOrder. What Tee got by then stays there.
type LayerWriter struct {
	handle *handle[*C.tarfs_layer]
	// Held by the call at work. Nobody waits for it.
	busy *sync.Mutex
	ctx  context.Context
	// Of the call at work; the callback of Tee, which C keeps, finds it here too.
	outcome *outcome
}

// NewLayerWriter starts a layer. The context is looked at in each Write and ReadFrom: once it is
// done they fail with its cause. Options may be nil.
func NewLayerWriter(ctx context.Context, opts *LayerOptions) (*LayerWriter, error) {
	const op = "NewLayerWriter"
	if opts == nil {
		opts = &LayerOptions{}
	}
	w := &LayerWriter{busy: &sync.Mutex{}, ctx: ctx, outcome: &outcome{ctx: ctx}}
	c := newCall(op, ctx)
	defer c.end()
	given := opts.c(c)
	tee, err := w.tee(op, c, opts)
	if err != nil {
		return nil, err
	}
	given.tee = tee.sink
	var ptr *C.tarfs_layer
	err = c.do(func(err **C.tarfs_error) C.int32_t { return C.tarfs_layer_new(given, &ptr, err) })
	if err != nil {
		tee.free()
		return nil, err
	}
	w.handle = own(w, ptr, func(ptr *C.tarfs_layer) {
		C.tarfs_layer_free(ptr)
		tee.free()
	})
	return w, nil
}

// teeSink is where C copies to, and the cell of its callback, which lives as long as the layer.
type teeSink struct {
	sink *C.tarfs_sink
	cell *cell
}

func (t teeSink) free() {
	if t.cell != nil {
		t.cell.free()
	}
}

func (w *LayerWriter) tee(op string, c *call, opts *LayerOptions) (teeSink, error) {
	if opts.Tee == nil {
		return teeSink{}, nil
	}
	if opts.TeeOffset < 0 {
		return teeSink{}, invalid(op, "TeeOffset is negative")
	}
	if f, ok := opts.Tee.(*os.File); ok {
		down, err := seekable(f)
		if err != nil {
			return teeSink{}, err
		}
		if down {
			return teeSink{sink: c.sink(endpoint{file: f}, uint64(opts.TeeOffset))}, nil
		}
	}
	cell := newCell(&callback{outcome: w.outcome, write: inOrder(op, opts.Tee)})
	sink := &C.tarfs_sink{
		size:  C.sizeof_tarfs_sink,
		write: C.tarfs_write_fn(C.tarfs_go_write),
		ctx:   unsafe.Pointer(cell.ctx),
	}
	c.pin.Pin(sink)
	return teeSink{sink, &cell}, nil
}

// use makes a call that needs the layer alone.
func (w *LayerWriter) use(op string, work func(c *call, ptr *C.tarfs_layer) error) error {
	if w == nil || w.handle == nil {
		return invalid(op, "nil, or not made by NewLayerWriter")
	}
	ptr, err := w.handle.acquire(op)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(w)
	defer w.handle.release()
	if !w.busy.TryLock() {
		return wrongOrder(op, "another call is at work on this layer")
	}
	defer w.busy.Unlock()
	*w.outcome = outcome{ctx: w.ctx}
	c := &call{op: op, outcome: w.outcome}
	defer c.end()
	return work(c, ptr)
}

// Write takes the next bytes of the tar. 64 KiB or more at a time are fastest. It takes all of p,
// or fails and takes none that count.
//
// A malformed tar is ErrTar, a layer that breaks a rule ErrTree; Offset is that of the entry.
func (w *LayerWriter) Write(p []byte) (int, error) {
	const op = "LayerWriter.Write"
	err := w.use(op, func(c *call, ptr *C.tarfs_layer) error {
		data := (*C.uint8_t)(unsafe.SliceData(p))
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layer_push(ptr, data, C.size_t(len(p)), err)
		})
	})
	runtime.KeepAlive(p)
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Finish says that the tar is complete. One that is cut short is ErrTar. Whether it fails or not,
// the writer is closed afterwards.
func (w *LayerWriter) Finish() (*Layer, error) {
	const op = "LayerWriter.Finish"
	var layer *Layer
	err := w.use(op, func(c *call, ptr *C.tarfs_layer) (err error) {
		info := C.tarfs_layer_info{size: C.sizeof_tarfs_layer_info}
		var tree *C.tarfs_tree
		var leaves *C.tarfs_leaves
		err = c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layer_finish(ptr, &info, &tree, &leaves, err)
		})
		if err != nil {
			return err
		}
		layer = &Layer{Info: newLayerInfo(&info)}
		if leaves != nil {
			layer.Leaves = newLeaves(leaves)
		}
		if layer.Tree, err = newTree(op, tree); err != nil {
			layer.Close()
		}
		return err
	})
	if err != nil {
		layer = nil
	}
	if w != nil {
		w.handle.close()
	}
	return layer, err
}

// Close drops the layer, unless it is finished. It returns nil.
func (w *LayerWriter) Close() error {
	if w != nil {
		w.handle.close()
	}
	return nil
}
