package tarfs

// #include <tarfs.h>
import "C"

import (
	"context"
	"io"
	"os"
	"time"
)

// Bytes that ReadFrom reads at a time.
const readFromPiece = 256 << 10

// ReadFrom takes the next bytes of the tar from r, up to its end, and says how many they were.
//
// An [*os.File] that is a regular file is read by the library, from where its file offset is; if
// the layer has neither Tee nor Leaves nor DiffID, the bodies of files are passed over rather than
// read. Of a pipe or terminal a read that waits ends when the writer's context is done: the
// deadline of r is used for that, and unset afterwards.
func (w *LayerWriter) ReadFrom(r io.Reader) (int64, error) {
	const op = "LayerWriter.ReadFrom"
	if r == nil {
		return 0, invalid(op, "the reader is nil")
	}
	if f, ok := r.(*os.File); ok {
		down, err := seekable(f)
		if err != nil {
			return 0, err
		}
		if down {
			return w.readFile(op, f)
		}
		if w != nil && w.ctx != nil {
			stop := interrupt(w.ctx, f)
			defer stop()
		}
	}
	return w.readLoop(op, r)
}

// interrupt ends waiting reads of f when the context is done, until stop.
func interrupt(ctx context.Context, f *os.File) (stop func()) {
	ended := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(ended)
		// Files that know no deadlines are read to their end; the next Write sees the context.
		_ = f.SetReadDeadline(time.Unix(1, 0))
	})
	return func() {
		if !unhook() {
			<-ended
			_ = f.SetReadDeadline(time.Time{})
		}
	}
}

// readFile has the library read the rest of a file.
func (w *LayerWriter) readFile(op string, f *os.File) (int64, error) {
	from, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	if end < from {
		end = from
	}
	n, err := w.readAt(op, f, from, end-from)
	if _, seeked := f.Seek(from+n, io.SeekStart); err == nil {
		err = seeked
	}
	return n, err
}

// readAt has the library read bytes of a file.
func (w *LayerWriter) readAt(op string, f *os.File, from, bytes int64) (n int64, err error) {
	err = w.use(op, func(c *call, ptr *C.tarfs_layer) error {
		source, _ := c.sources([]endpoint{{file: f}})
		progress, ctx := c.counted()
		err := c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layer_push_source(ptr, source, C.uint64_t(from), C.uint64_t(bytes), progress, ctx, err)
		})
		n = int64(c.outcome.done)
		return err
	})
	return n, err
}

// readLoop copies a reader that is none of the library's business.
func (w *LayerWriter) readLoop(op string, r io.Reader) (n int64, err error) {
	buf := make([]byte, readFromPiece)
	for {
		got, failed := r.Read(buf)
		if got > 0 {
			if _, err := w.Write(buf[:got]); err != nil {
				return n, err
			}
			n += int64(got)
		}
		if failed == io.EOF {
			return n, nil
		}
		if failed != nil {
			if w != nil {
				if err := done(w.ctx); err != nil {
					return n, err
				}
			}
			return n, failed
		}
	}
}

// IndexFile makes a layer of a whole tar in a file, whose file offset stays where it is. If the
// options ask for neither Tee nor Leaves nor DiffID, the bodies of files are not read. Options may
// be nil.
func IndexFile(ctx context.Context, f *os.File, opts *LayerOptions) (*Layer, error) {
	const op = "IndexFile"
	down, err := seekable(f)
	if err != nil {
		return nil, err
	}
	if !down {
		return nil, invalid(op, "not a regular file")
	}
	size, err := fileSize(f)
	if err != nil {
		return nil, err
	}
	w, err := NewLayerWriter(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if _, err := w.readAt(op, f, 0, size); err != nil {
		return nil, err
	}
	return w.Finish()
}

// fileSize is the length of a file or block device, without touching the file offset if possible.
func fileSize(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil || info.Mode().IsRegular() {
		return info.Size(), err
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	_, err = f.Seek(at, io.SeekStart)
	return end, err
}
