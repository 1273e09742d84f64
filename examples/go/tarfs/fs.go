//go:build cgo

package tarfs

import (
	"io"
	"io/fs"
	"strings"
)

// FS is a tree as a file system: fs.FS, fs.ReadDirFS, fs.StatFS, fs.ReadFileFS and fs.ReadLinkFS.
// Its regular files are io.ReaderAt and io.Seeker. Symbolic links are followed, absolute ones from
// the root of the tree, and never out of it. FileInfo.Sys gives a [*Stat].
//
// A layer's own tree, not merged, has its whiteouts in it, as character devices.
type FS struct {
	tree  *Tree
	ends  []endpoint
	err   error
	owned bool
}

// FS is the tree as a file system. Devices are the files of the tree's devices, in the order of
// [Tree.Devices]; without them everything works but reading files. The tree must stay open.
func (t *Tree) FS(devices ...io.ReaderAt) *FS {
	f := &FS{tree: t}
	for _, r := range devices {
		end, err := readEnd("FS", r)
		if err != nil {
			// Said by the first read.
			f.err = err
			break
		}
		f.ends = append(f.ends, end)
	}
	return f
}

// Close gives back what [Image.FS] made; for [Tree.FS] it does nothing. It returns nil.
func (f *FS) Close() error {
	if f != nil && f.owned {
		f.tree.Close()
	}
	return nil
}

// pathError is what package fs wants.
func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// lstat finds what has this name, itself.
func (f *FS) lstat(op, name string) (*Stat, error) {
	return f.find(op, name, false)
}

// stat finds what this name leads to.
func (f *FS) stat(op, name string) (*Stat, error) {
	return f.find(op, name, true)
}

func (f *FS) find(op, name string, follow bool) (*Stat, error) {
	if f == nil || f.tree == nil {
		return nil, pathError(op, name, invalid(op, "the file system is nil"))
	}
	if !validPath(name) {
		return nil, pathError(op, name, fs.ErrInvalid)
	}
	s, err := f.walk(name, follow)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	return s, nil
}

// validPath is fs.ValidPath, but for UTF-8: names in tars are bytes.
func validPath(name string) bool {
	if name == "." {
		return true
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == "" || element == "." || element == ".." {
			return false
		}
	}
	return true
}

// Open opens what the name leads to.
func (f *FS) Open(name string) (fs.File, error) {
	s, err := f.stat("open", name)
	if err != nil {
		return nil, err
	}
	info := newFileInfo(name, s)
	if s.FileMode().IsDir() {
		return &directory{fs: f, name: name, info: info}, nil
	}
	return &file{fs: f, name: name, info: info}, nil
}

// Stat describes what the name leads to.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	s, err := f.stat("stat", name)
	if err != nil {
		return nil, err
	}
	return newFileInfo(name, s), nil
}

// Lstat describes what has the name, which may be a symbolic link.
func (f *FS) Lstat(name string) (fs.FileInfo, error) {
	s, err := f.lstat("lstat", name)
	if err != nil {
		return nil, err
	}
	return newFileInfo(name, s), nil
}

// ReadLink is the target of a symbolic link, as it is.
func (f *FS) ReadLink(name string) (string, error) {
	s, err := f.lstat("readlink", name)
	if err != nil {
		return "", err
	}
	if s.FileMode().Type() != fs.ModeSymlink {
		return "", pathError("readlink", name, fs.ErrInvalid)
	}
	return s.Link, nil
}

// ReadDir lists a directory, in ascending byte order of the names.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	s, err := f.stat("readdir", name)
	if err != nil {
		return nil, err
	}
	return f.list("readdir", name, s)
}

// ReadFile reads a whole file.
func (f *FS) ReadFile(name string) ([]byte, error) {
	s, err := f.stat("read", name)
	if err != nil {
		return nil, err
	}
	open := &file{fs: f, name: name, info: newFileInfo(name, s)}
	return open.all()
}
