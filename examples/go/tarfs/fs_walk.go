//go:build cgo

package tarfs

import (
	"errors"
	"path"
	"strings"
	"syscall"
)

// As many symbolic links as Linux follows for one path.
const maxLinks = 40

// walk finds an inode by a valid path.
func (f *FS) walk(name string, follow bool) (*Stat, error) {
	if name == "." {
		return f.at("")
	}
	s, err := f.at(name)
	// Without symbolic links on the way that is all.
	if err == nil && !(follow && isLink(s)) || err != nil && !errors.Is(err, ErrNotFound) {
		return s, err
	}
	return f.follow(name, follow)
}

// at is what has exactly this path in the tree.
func (f *FS) at(name string) (*Stat, error) {
	inode, err := f.tree.Lookup(name)
	if err != nil {
		return nil, err
	}
	return f.tree.Stat(inode)
}

// follow walks element by element, as the kernel does in a chroot.
func (f *FS) follow(name string, last bool) (*Stat, error) {
	at, rest := "", strings.Split(name, "/")
	s, err := f.at(at)
	for links := 0; err == nil && len(rest) > 0; {
		var element string
		element, rest = rest[0], rest[1:]
		if element == "" || element == "." {
			if len(rest) == 0 && !isDir(s) {
				return nil, syscall.ENOTDIR
			}
			continue
		}
		if !isDir(s) {
			return nil, syscall.ENOTDIR
		}
		if element == ".." {
			at = parent(at)
			s, err = f.at(at)
			continue
		}
		next := path.Join(at, element)
		s, err = f.at(next)
		if err != nil || !isLink(s) || !last && len(rest) == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return nil, syscall.ELOOP
		}
		if strings.HasPrefix(s.Link, "/") {
			at = ""
		}
		rest = append(strings.Split(s.Link, "/"), rest...)
		s, err = f.at(at)
	}
	return s, err
}

// parent is the directory of a path; that of the root is the root.
func parent(name string) string {
	if up := path.Dir(name); up != "." {
		return up
	}
	return ""
}

func isLink(s *Stat) bool {
	return s.Mode>>12 == 0o12
}

func isDir(s *Stat) bool {
	return s.Mode>>12 == 0o4
}
