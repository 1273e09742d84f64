package applier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// blob is a blob of containerd that is read from its start to its end, and checked on the way.
type blob struct {
	io.Closer
	from     io.Reader
	desc     ocispec.Descriptor
	verifier digest.Verifier
	read     int64
	progress func(int64)
	ctx      context.Context
	// What reading it failed with, whatever its reader makes of that.
	failed error
}

// open finds the blob: in the directory of the content store, else through its service.
func (j *job) open(ctx context.Context) (*blob, error) {
	if err := j.desc.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", err, errdefs.ErrInvalidArgument)
	}
	b := &blob{desc: j.desc, verifier: j.desc.Digest.Verifier(), progress: j.progress, ctx: ctx}
	if j.ContentRoot != "" {
		f, err := openStored(j.ContentRoot, j.desc.Digest)
		if err == nil {
			b.from, b.Closer = f, f
			return b, b.sized(f)
		}
		if !errors.Is(err, fs.ErrNotExist) || j.Content == nil {
			return nil, fmt.Errorf("blob: %w", err)
		}
	}
	at, err := j.Content.ReaderAt(ctx, j.desc)
	if err != nil {
		return nil, fmt.Errorf("blob: content service: %w", err)
	}
	b.from, b.Closer = content.NewReader(at), at
	return b, nil
}

// openStored opens a blob by its path. Links are followed to the store's directory, but not in it.
func openStored(root string, id digest.Digest) (*os.File, error) {
	dir, err := os.Open(root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	name := filepath.Join("blobs", id.Algorithm().String(), id.Encoded())
	fd, err := unix.Openat2(int(dir.Fd()), name, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: filepath.Join(root, name), Err: err}
	}
	return os.NewFile(uintptr(fd), filepath.Join(root, name)), nil
}

// sized refuses a file of another length before it is read.
func (b *blob) sized(f *os.File) error {
	stat, err := f.Stat()
	switch {
	case err != nil:
	case !stat.Mode().IsRegular():
		err = fmt.Errorf("%s: not a regular file", f.Name())
	case b.desc.Size > 0 && stat.Size() != b.desc.Size:
		err = fmt.Errorf("%s: has %d bytes, and should have %d", f.Name(), stat.Size(), b.desc.Size)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("blob: %w", err)
	}
	return nil
}

func (b *blob) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	n, err := b.from.Read(p)
	b.read += int64(n)
	b.verifier.Write(p[:n])
	if b.progress != nil {
		b.progress(b.read)
	}
	if err != nil && err != io.EOF {
		b.failed = err
	}
	return n, err
}

// verify reads the rest, and says whether all that was read is the blob that was asked for.
func (b *blob) verify() error {
	if _, err := io.Copy(io.Discard, b); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	if b.desc.Size > 0 && b.read != b.desc.Size {
		return fmt.Errorf("blob: %d bytes, and should have %d", b.read, b.desc.Size)
	}
	if !b.verifier.Verified() {
		return fmt.Errorf("blob: is not what its digest says, in %d bytes", b.read)
	}
	return nil
}
