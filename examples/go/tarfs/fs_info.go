//go:build cgo

package tarfs

import (
	"io/fs"
	"path"
	"time"
)

// fileInfo is both fs.FileInfo and fs.DirEntry.
type fileInfo struct {
	name string
	stat *Stat
}

func newFileInfo(name string, s *Stat) fileInfo {
	return fileInfo{path.Base(name), s}
}

func (i fileInfo) Name() string               { return i.name }
func (i fileInfo) Size() int64                { return i.stat.Size }
func (i fileInfo) Mode() fs.FileMode          { return i.stat.FileMode() }
func (i fileInfo) ModTime() time.Time         { return i.stat.ModTime }
func (i fileInfo) IsDir() bool                { return i.Mode().IsDir() }
func (i fileInfo) Sys() any                   { return i.stat }
func (i fileInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i fileInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i fileInfo) String() string             { return fs.FormatFileInfo(i) }
