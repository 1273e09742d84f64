package tarfs

// #include <tarfs.h>
import "C"

import (
	"io/fs"
	"time"
	"unsafe"
)

// StatFlags is what a mode cannot say about an inode of a layer.
type StatFlags uint32

// The flags of inodes.
const (
	// Whiteout: a name that hides one of the lower layers. Its mode is that of a character device.
	Whiteout StatFlags = C.TARFS_WHITEOUT
	// Opaque: a directory that hides what lower layers have in it.
	Opaque StatFlags = C.TARFS_OPAQUE
	// Implied: a directory that its tar never lists.
	Implied StatFlags = C.TARFS_IMPLIED
	// Pending: a hard link that waits for its target, Link, in a lower layer.
	Pending StatFlags = C.TARFS_PENDING
)

// Xattr is an extended attribute.
type Xattr struct {
	// Name is the full name, such as "security.capability".
	Name string
	// Value is its bytes.
	Value []byte
}

// Stat is all that is known of an inode.
type Stat struct {
	// Inode is its number in the tree. Hard links have the same.
	Inode uint32
	// Mode is type and permissions as the system has them in st_mode; type 0 if Pending.
	Mode uint32
	// Flags is what Mode does not say.
	Flags StatFlags
	// UID and GID are owner and group.
	UID, GID uint32
	// Nlink is the number of links.
	Nlink uint32
	// ModTime is the time of the last change, to the nanosecond.
	ModTime time.Time
	// Size is the length of a regular file or of a symbolic link's target in bytes, else 0.
	Size int64
	// Major and Minor are the numbers of a device file.
	Major, Minor uint32
	// Link is the target of a symbolic or pending hard link.
	Link string
	// Xattrs are the extended attributes, in ascending order of the names.
	Xattrs []Xattr
	// Children is how many names a directory has.
	Children uint64
	// Extents is how many parts a regular file has.
	Extents uint64
}

// FileMode is Mode as package fs has it.
func (s *Stat) FileMode() fs.FileMode { return fileMode(s.Mode) }

// fileMode is a mode of the system as package fs has it.
func fileMode(st uint32) fs.FileMode {
	mode := fs.FileMode(st & 0o777)
	for bit, flag := range map[uint32]fs.FileMode{
		0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky,
	} {
		if st&bit != 0 {
			mode |= flag
		}
	}
	switch st >> 12 {
	case 0o4:
		mode |= fs.ModeDir
	case 0o12:
		mode |= fs.ModeSymlink
	case 0o2:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case 0o6:
		mode |= fs.ModeDevice
	case 0o1:
		mode |= fs.ModeNamedPipe
	case 0o14:
		mode |= fs.ModeSocket
	case 0o10:
	default:
		mode |= fs.ModeIrregular
	}
	return mode
}

// Lookup finds the number of an inode by its path below the root: names with "/" between them, ""
// for the root itself. Symbolic links are not followed. ErrNotFound if there is none.
func (t *Tree) Lookup(path string) (uint32, error) {
	const op = "Tree.Lookup"
	var inode C.uint32_t
	err := t.use(op, func(ptr *C.tarfs_tree) error {
		name := (*C.uint8_t)(unsafe.StringData(path))
		return simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_tree_lookup(ptr, name, C.size_t(len(path)), &inode, err)
		})
	})
	return uint32(inode), err
}

// Stat describes an inode. ErrNotFound if there is no such number.
func (t *Tree) Stat(inode uint32) (*Stat, error) {
	const op = "Tree.Stat"
	var s *Stat
	err := t.use(op, func(ptr *C.tarfs_tree) error {
		found := C.tarfs_stat{size: C.sizeof_tarfs_stat}
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_tree_get_stat(ptr, C.uint32_t(inode), &found, err)
		})
		if err != nil {
			return err
		}
		s = &Stat{
			Inode:    inode,
			Mode:     uint32(found.mode),
			Flags:    StatFlags(found.flags),
			UID:      uint32(found.uid),
			GID:      uint32(found.gid),
			Nlink:    uint32(found.nlink),
			ModTime:  time.Unix(int64(found.mtime), int64(found.mtime_nsec)).UTC(),
			Size:     int64(found.bytes),
			Major:    uint32(found.rdev_major),
			Minor:    uint32(found.rdev_minor),
			Link:     text(found.link, found.link_len),
			Children: uint64(found.children),
			Extents:  uint64(found.extents),
		}
		s.Xattrs, err = xattrs(op, ptr, inode, uint64(found.xattrs))
		return err
	})
	return s, err
}

func xattrs(op string, ptr *C.tarfs_tree, inode uint32, count uint64) ([]Xattr, error) {
	if count == 0 {
		return nil, nil
	}
	all := make([]Xattr, 0, count)
	for i := range count {
		var name, value *C.uint8_t
		var nameLen, valueLen C.size_t
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_tree_get_xattr(ptr, C.uint32_t(inode), C.size_t(i), &name, &nameLen, &value, &valueLen, err)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, Xattr{text(name, nameLen), []byte(text(value, valueLen))})
	}
	return all, nil
}
