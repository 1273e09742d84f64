package keep

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrUnsafe says that others than the owner could change a directory.
var ErrUnsafe = errors.New("directory can be changed by others")

// openUnlinked opens a file or directory on whose path there is no link: a store has none, so one was put there.
func openUnlinked(path string) (*os.File, error) {
	how := &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := unix.Openat2(unix.AT_FDCWD, path, how)
	for err == unix.EINTR {
		fd, err = unix.Openat2(unix.AT_FDCWD, path, how)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// checkDir refuses a path that leads over a link, or to no directory.
func checkDir(path string) error {
	dir, err := openUnlinked(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "open", Path: path, Err: unix.ENOTDIR}
	}
	return err
}

// checkOwned refuses a root that others can write to, or that others can put something else in the place of.
func checkOwned(root string) error {
	for at := root; ; at = filepath.Dir(at) {
		var found unix.Stat_t
		if err := unix.Lstat(at, &found); err != nil {
			return &os.PathError{Op: "lstat", Path: at, Err: err}
		}
		// Whoever owns a directory above can put another root in this one's place.
		if found.Uid != 0 && found.Uid != uint32(os.Geteuid()) {
			return fmt.Errorf("%w: %s belongs to user %d", ErrUnsafe, at, found.Uid)
		}
		writable := found.Mode&0o002 != 0 || found.Mode&0o020 != 0 && found.Gid != 0
		others := writable && found.Mode&unix.S_ISVTX == 0
		if at == root {
			others = found.Mode&0o022 != 0
		}
		if others {
			return fmt.Errorf("%w: %s has mode %04o", ErrUnsafe, at, found.Mode&0o7777)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
