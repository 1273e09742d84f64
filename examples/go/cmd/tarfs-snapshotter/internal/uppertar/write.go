package uppertar

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// whiteoutPrefix starts the name of a file that hides what has the rest of its name.
	whiteoutPrefix = ".wh."
	// opaqueName is the file that hides all that lower layers have in its directory.
	opaqueName = ".wh..wh..opq"
	// maxPath is the most bytes of a path in the tar, which is Linux's limit too.
	maxPath = 4096
)

// Options is how a directory is read. Zero values are defaults.
type Options struct {
	// UserXattr says that the overlayfs was mounted with the option userxattr: its marks are attributes named
	// "user.overlay." instead of "trusted.overlay.".
	UserXattr bool
	// Latest, if it is not zero, takes the place of modification times after it.
	Latest time.Time
}

// Write writes the tar of the changes in the directory upper, its end marker included. Errors name the path below
// upper. Options may be nil.
func Write(ctx context.Context, w io.Writer, upper string, opts *Options) error {
	if opts == nil {
		opts = &Options{}
	}
	root, err := os.OpenFile(upper, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer root.Close()
	s := &stream{
		ctx:   ctx,
		tar:   tar.NewWriter(w),
		opts:  opts,
		marks: "trusted.overlay.",
		links: map[inode]string{},
	}
	if opts.UserXattr {
		s.marks = "user.overlay."
	}
	// Of the root overlayfs itself ignores the mark that it is opaque.
	if err := s.children(root, "", false); err != nil {
		return fmt.Errorf("%s: %w", upper, err)
	}
	return s.tar.Close()
}

// stream is a tar that is being written.
type stream struct {
	ctx   context.Context
	tar   *tar.Writer
	opts  *Options
	marks string
	// Where the files with several names are in the tar.
	links map[inode]string
}

type inode struct {
	dev, ino uint64
	born     unix.StatxTimestamp
}

// children writes what is in a directory. It is called by the path of the directory in the tar. That whiteouts
// may be files with an attribute is written on their directory.
func (s *stream) children(dir *os.File, at string, xattrWhiteouts bool) error {
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.ctx.Err(); err != nil {
			return context.Cause(s.ctx)
		}
		if err := s.child(dir, at, name, xattrWhiteouts); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) child(dir *os.File, at, name string, xattrWhiteouts bool) error {
	e, err := s.look(dir, at, name)
	if err != nil || e == nil {
		return err
	}
	defer e.close()
	switch {
	case e.is(unix.S_IFSOCK):
		return nil
	case strings.HasPrefix(name, whiteoutPrefix):
		return fmt.Errorf("%s: a file of this name can't be in a layer: it would be a whiteout", e.path)
	case e.isWhiteout(xattrWhiteouts):
		return s.marker(path.Join(at, whiteoutPrefix+name))
	case e.is(unix.S_IFDIR):
		return s.directory(e)
	case e.is(unix.S_IFREG):
		return s.file(e)
	default:
		_, err := s.header(e)
		return err
	}
}

// marker writes a whiteout, as containerd does it: an empty file of 1970.
func (s *stream) marker(at string) error {
	return s.named(at, s.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg,
		Name:     at,
		ModTime:  time.Unix(0, 0),
		Format:   tar.FormatPAX,
	}))
}

func (s *stream) directory(e *entry) error {
	opened, err := e.open(unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer opened.Close()
	if _, err := s.header(e); err != nil {
		return err
	}
	if e.opaque == "y" {
		if err := s.marker(path.Join(e.path, opaqueName)); err != nil {
			return err
		}
	}
	return s.children(opened, e.path, e.opaque == "x")
}

func (s *stream) file(e *entry) error {
	opened, err := e.open(unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	defer opened.Close()
	link, err := s.header(e)
	if err != nil || link {
		return err
	}
	n, err := io.Copy(s.tar, &reader{s.ctx, io.LimitReader(opened, e.stat.Size)})
	if err == nil && n < e.stat.Size {
		err = fmt.Errorf("%d of %d bytes, as it became shorter: %w", n, e.stat.Size, io.ErrUnexpectedEOF)
	}
	return s.named(e.path, err)
}

// named says of which path an error is.
func (s *stream) named(at string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", at, err)
}

// reader ends when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
