//go:build cgo

package tarfs

import (
	"io"
	"os"
)

// endpoint is a reader or writer, and how the library gets at it.
type endpoint struct {
	// file goes down as a file descriptor, if it is not nil.
	file *os.File
	read io.ReaderAt
	// write is called back with ascending or other offsets.
	write func(offset int64, data []byte) error
}

// seekable reports whether the library can read and write a file at any offset by itself. Pipes and
// the like may be in non-blocking mode, which only Go's poller deals with.
func seekable(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	mode := info.Mode()
	return mode.IsRegular() || mode&(os.ModeDevice|os.ModeCharDevice) == os.ModeDevice, nil
}

// readEnd is where to read.
func readEnd(op string, r io.ReaderAt) (endpoint, error) {
	if r == nil {
		return endpoint{}, invalid(op, "a reader is nil")
	}
	if f, ok := r.(*os.File); ok {
		down, err := seekable(f)
		if err != nil {
			return endpoint{}, err
		}
		if down {
			return endpoint{file: f}, nil
		}
	}
	return endpoint{read: r}, nil
}

// writeEnd is where to write at any offset; a pipe or socket takes what comes in ascending order.
func writeEnd(op string, w io.WriterAt) (endpoint, error) {
	if w == nil {
		return endpoint{}, invalid(op, "the writer is nil")
	}
	if f, ok := w.(*os.File); ok {
		down, err := seekable(f)
		if err != nil {
			return endpoint{}, err
		}
		if down {
			return endpoint{file: f}, nil
		}
		return endpoint{write: inOrder(op, f)}, nil
	}
	return endpoint{write: func(offset int64, data []byte) error {
		n, err := w.WriteAt(data, offset)
		return short(n, len(data), err)
	}}, nil
}

// inOrder writes to what has no offsets.
func inOrder(op string, w io.Writer) func(int64, []byte) error {
	var next int64
	return func(offset int64, data []byte) error {
		if offset != next {
			return invalid(op, "the writer takes bytes in ascending order only, and these are not")
		}
		n, err := w.Write(data)
		next += int64(n)
		return short(n, len(data), err)
	}
}

// short makes sure that less than all is an error.
func short(n, want int, err error) error {
	if err == nil && n < want {
		return io.ErrShortWrite
	}
	return err
}
