//go:build cgo

package tarfs

import (
	"io"
	"io/fs"
	"sync"
)

// The most that is allocated because an image says that a file is so long.
const trusted = 64 << 20

// file is what is open and is no directory.
type file struct {
	fs   *FS
	name string
	info fileInfo

	mu     sync.Mutex
	offset int64
	closed bool
}

func (f *file) Stat() (fs.FileInfo, error) {
	if err := f.check("stat"); err != nil {
		return nil, err
	}
	return f.info, nil
}

func (f *file) check(op string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return pathError(op, f.name, fs.ErrClosed)
	}
	return nil
}

func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return pathError("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	return nil
}

// ReadAt reads from an offset on, whatever Seek and Read did.
func (f *file) ReadAt(p []byte, offset int64) (int, error) {
	if err := f.check("read"); err != nil {
		return 0, err
	}
	return f.readAt(p, offset)
}

func (f *file) readAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, pathError("read", f.name, fs.ErrInvalid)
	}
	if !f.info.Mode().IsRegular() {
		// Devices and pipes are those of the machine that mounts the image.
		return 0, pathError("read", f.name, fs.ErrInvalid)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if f.fs.err != nil {
		return 0, pathError("read", f.name, f.fs.err)
	}
	n, err := f.fs.tree.readAt("read", f.info.stat.Inode, f.fs.ends, p, offset)
	if err != nil && err != io.EOF {
		err = pathError("read", f.name, err)
	}
	return n, err
}

// Read reads from where the last Read or Seek ended.
func (f *file) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, pathError("read", f.name, fs.ErrClosed)
	}
	n, err := f.readAt(p, f.offset)
	f.offset += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// Seek says where the next Read starts.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, pathError("seek", f.name, fs.ErrClosed)
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.offset
	case io.SeekEnd:
		offset += f.info.Size()
	default:
		return 0, pathError("seek", f.name, fs.ErrInvalid)
	}
	if offset < 0 {
		return 0, pathError("seek", f.name, fs.ErrInvalid)
	}
	f.offset = offset
	return offset, nil
}

// all reads the whole file. Memory follows what was read, where a file claims to be huge.
func (f *file) all() ([]byte, error) {
	size := f.info.Size()
	if size > trusted {
		return io.ReadAll(f)
	}
	p := make([]byte, size)
	if size == 0 {
		// A directory has to say so all the same.
		_, err := f.readAt(make([]byte, 1), 0)
		if err == io.EOF {
			err = nil
		}
		return p, err
	}
	n, err := f.readAt(p, 0)
	if err == io.EOF {
		err = nil
	}
	return p[:n], err
}
