//go:build cgo

package tarfs

import (
	"io"
	"io/fs"
	"path"
	"sync"
	"syscall"
)

// directory is a directory that is open.
type directory struct {
	fs   *FS
	name string
	info fileInfo

	mu      sync.Mutex
	entries []fs.DirEntry
	read    bool
	closed  bool
}

func (d *directory) Stat() (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, pathError("stat", d.name, fs.ErrClosed)
	}
	return d.info, nil
}

func (d *directory) Read([]byte) (int, error) {
	return 0, pathError("read", d.name, syscall.EISDIR)
}

func (d *directory) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return pathError("close", d.name, fs.ErrClosed)
	}
	d.closed, d.entries = true, nil
	return nil
}

// ReadDir gives the next n entries, or all that are left if n is 0 or less.
func (d *directory) ReadDir(n int) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, pathError("readdir", d.name, fs.ErrClosed)
	}
	if !d.read {
		entries, err := d.fs.list("readdir", d.name, d.info.stat)
		if err != nil {
			return nil, err
		}
		d.entries, d.read = entries, true
	}
	if n <= 0 || n > len(d.entries) {
		if n > 0 && len(d.entries) == 0 {
			return nil, io.EOF
		}
		n = len(d.entries)
	}
	some := d.entries[:n:n]
	d.entries = d.entries[n:]
	return some, nil
}

// list is what is in a directory.
func (f *FS) list(op, name string, s *Stat) ([]fs.DirEntry, error) {
	if !isDir(s) {
		return nil, pathError(op, name, syscall.ENOTDIR)
	}
	children, err := f.tree.Children(s.Inode)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	entries := make([]fs.DirEntry, 0, len(children))
	for _, child := range children {
		s, err := f.tree.Stat(child.Inode)
		if err != nil {
			return nil, pathError(op, path.Join(name, child.Name), err)
		}
		entries = append(entries, fileInfo{child.Name, s})
	}
	return entries, nil
}
