package tarfs

// #include <tarfs.h>
import "C"

import (
	"io"
)

// Extent is a part of a regular file. What lies between them reads as zeros.
type Extent struct {
	// Logical is the byte of the file at which it starts.
	Logical uint64
	// Bytes is its length.
	Bytes uint64
	// Device is the index of its device; -1 if the tree itself has the bytes.
	Device int
	// Offset is the byte of the device at which it starts, from the device's BaseOffset on.
	Offset uint64
	// Data is the bytes, if the tree has them.
	Data []byte
}

// Extents are the parts of a regular file, in ascending order. ErrInvalidArgument if it is none.
func (t *Tree) Extents(inode uint32) ([]Extent, error) {
	const op = "Tree.Extents"
	s, err := t.Stat(inode)
	if err != nil {
		return nil, err
	}
	if !s.FileMode().IsRegular() {
		return nil, invalid(op, "not a regular file")
	}
	all := make([]Extent, 0, s.Extents)
	err = t.use(op, func(ptr *C.tarfs_tree) error {
		for i := range s.Extents {
			e := C.tarfs_extent{size: C.sizeof_tarfs_extent}
			err := simple(op, func(err **C.tarfs_error) C.int32_t {
				return C.tarfs_tree_get_extent(ptr, C.uint32_t(inode), C.size_t(i), &e, err)
			})
			if err != nil {
				return err
			}
			found := Extent{
				Logical: uint64(e.logical),
				Bytes:   uint64(e.bytes),
				Device:  int(e.device),
				Offset:  uint64(e.offset),
			}
			if e.kind == C.TARFS_EXTENT_CARRIED {
				found.Device = -1
				found.Data = []byte(text(e.data, C.size_t(e.bytes)))
			}
			all = append(all, found)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// ReadAt reads bytes of a regular file from offset on, as [io.ReaderAt] does: less than len(p) only
// with an error, which is io.EOF at the end of the file. Sources are the files of the tree's
// devices, in their order.
func (t *Tree) ReadAt(inode uint32, sources []io.ReaderAt, p []byte, offset int64) (int, error) {
	const op = "Tree.ReadAt"
	ends := make([]endpoint, len(sources))
	for i, r := range sources {
		var err error
		if ends[i], err = readEnd(op, r); err != nil {
			return 0, err
		}
	}
	return t.readAt(op, inode, ends, p, offset)
}

func (t *Tree) readAt(op string, inode uint32, ends []endpoint, p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, invalid(op, "negative offset")
	}
	var done C.size_t
	err := t.use(op, func(ptr *C.tarfs_tree) error {
		c := newCall(op, nil)
		defer c.end()
		sources, count := c.sources(ends)
		buf, n := c.bytes(p)
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_tree_read(ptr, C.uint32_t(inode), sources, count, C.uint64_t(offset), buf, n, &done, err)
		})
	})
	if err != nil {
		return 0, err
	}
	if int(done) < len(p) {
		return int(done), io.EOF
	}
	return int(done), nil
}
