package uppertar

import (
	"archive/tar"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

// entry is a name in a directory, and what it is the name of.
type entry struct {
	// Its path in the tar.
	path string
	// Holds the inode, by O_PATH: all that is asked is asked of this one, whatever has the name by then.
	fd   int
	stat unix.Stat_t
	// When its inode was made, if it has several names: the number alone may be that of a removed file.
	born unix.StatxTimestamp
	// Where a symbolic link leads.
	target string
	// What overlayfs says of it: "y" for a directory that hides lower ones, "x" for one that has whiteouts that
	// are files with an attribute.
	opaque string
	// An attribute says that it is a whiteout.
	whiteout bool
	// Its attributes for the tar.
	xattrs map[string]string
}

func (e *entry) is(kind uint32) bool { return e.stat.Mode&unix.S_IFMT == kind }

// isWhiteout knows overlayfs's two forms: a device 0:0, and where its directory says so, an empty file with an
// attribute.
func (e *entry) isWhiteout(xattrs bool) bool {
	return e.is(unix.S_IFCHR) && e.stat.Rdev == 0 || xattrs && e.whiteout && e.is(unix.S_IFREG) && e.stat.Size == 0
}

// look asks all about a name, without following it. The entry is closed by its close; there is none where the name was
// removed since the directory was read.
func (s *stream) look(dir *os.File, at, name string) (*entry, error) {
	e := &entry{path: path.Join(at, name)}
	if len(e.path) > maxPath {
		return nil, fmt.Errorf("%.100s…: a path of more than %d bytes", e.path, maxPath)
	}
	var err error
	e.fd, err = unix.Openat(int(dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: e.path, Err: err}
	}
	if err := s.ask(e); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (s *stream) ask(e *entry) error {
	if err := unix.Fstat(e.fd, &e.stat); err != nil {
		return &os.PathError{Op: "stat", Path: e.path, Err: err}
	}
	if e.stat.Nlink > 1 && !e.is(unix.S_IFDIR) {
		var more unix.Statx_t
		if err := unix.Statx(e.fd, "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &more); err != nil {
			return &os.PathError{Op: "statx", Path: e.path, Err: err}
		}
		e.born = more.Btime // zero where the filesystem does not know it
	}
	if e.is(unix.S_IFLNK) {
		target := make([]byte, maxPath)
		n, err := unix.Readlinkat(e.fd, "", target)
		if err != nil {
			return &os.PathError{Op: "readlink", Path: e.path, Err: err}
		}
		e.target = string(target[:n])
	}
	return s.readXattrs(e)
}

func (e *entry) close() { unix.Close(e.fd) }

// reached is a path that leads to the inode, and not on where that is a symbolic link.
func (e *entry) reached() string { return fmt.Sprintf("/proc/self/fd/%d", e.fd) }

// open opens it for reading: a file or a directory.
func (e *entry) open(flags int) (*os.File, error) {
	fd, err := unix.Open(e.reached(), flags|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: e.path, Err: err}
	}
	return os.NewFile(uintptr(fd), e.path), nil
}

// header writes the header of an entry. It says whether that is a link to an earlier one.
func (s *stream) header(e *entry) (link bool, err error) {
	h := &tar.Header{
		Name:       e.path,
		Mode:       int64(e.stat.Mode & 0o7777),
		Uid:        int(e.stat.Uid),
		Gid:        int(e.stat.Gid),
		ModTime:    s.time(e),
		PAXRecords: e.xattrs,
		Format:     tar.FormatPAX,
	}
	id := inode{e.stat.Dev, e.stat.Ino, e.born}
	first, linked := s.links[id]
	linked = linked && e.stat.Nlink > 1
	switch {
	case e.is(unix.S_IFDIR):
		h.Typeflag, h.Name = tar.TypeDir, e.path+"/"
	case linked:
		h.Typeflag, h.Linkname, h.PAXRecords = tar.TypeLink, first, nil
	case e.is(unix.S_IFREG):
		h.Typeflag, h.Size = tar.TypeReg, e.stat.Size
	case e.is(unix.S_IFLNK):
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.target
	case e.is(unix.S_IFIFO):
		h.Typeflag = tar.TypeFifo
	case e.is(unix.S_IFCHR), e.is(unix.S_IFBLK):
		h.Typeflag = tar.TypeChar
		if e.is(unix.S_IFBLK) {
			h.Typeflag = tar.TypeBlock
		}
		h.Devmajor, h.Devminor = int64(unix.Major(e.stat.Rdev)), int64(unix.Minor(e.stat.Rdev))
	default:
		return false, fmt.Errorf("%s: unknown type, mode %o", e.path, e.stat.Mode)
	}
	if !linked && e.stat.Nlink > 1 && !e.is(unix.S_IFDIR) {
		s.links[id] = e.path
	}
	return linked, s.named(e.path, s.tar.WriteHeader(h))
}

func (s *stream) time(e *entry) time.Time {
	t := time.Unix(e.stat.Mtim.Unix())
	if latest := s.opts.Latest; !latest.IsZero() && t.After(latest) {
		return latest
	}
	return t
}
