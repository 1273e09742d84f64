package applier

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/unpack"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// source is the tar of a layer, as it comes out of the layer's blob. Its end is read only once the whole blob was
// found to be what was asked for.
type source struct {
	*blob
	// What undoes the compression, or the blob itself; nil once nobody reads the blob any more.
	plain io.ReadCloser
	// The most bytes of the tar, and those that were read.
	most, bytes int64
	// How reading ended, once it has.
	end error
}

// errTooLarge ends a tar of too many bytes. The rest is not read.
var errTooLarge = errors.New("the tar is larger than max_layer_bytes allows")

// source opens the blob, and finds out how it is compressed.
func (j *job) source(ctx context.Context) (*source, error) {
	b, err := j.open(ctx)
	if err != nil {
		return nil, err
	}
	s := &source{blob: b, plain: io.NopCloser(b), most: j.MaxLayerBytes}
	if !j.compressed {
		return s, nil
	}
	if s.plain, err = unpack.With(ctx, j.Gunzip, b); err != nil {
		s.plain = nil
		err = s.explained(fmt.Errorf("unpack: %w", err))
		b.Close()
		return nil, err
	}
	return s, nil
}

// Read reads the tar.
func (s *source) Read(p []byte) (n int, err error) {
	if s.end != nil {
		return 0, s.end
	}
	n, err = s.plain.Read(p)
	s.bytes += int64(n)
	switch {
	case s.most > 0 && s.bytes > s.most:
		n, err = 0, fmt.Errorf("%w: %d bytes", errTooLarge, s.most)
	case err == io.EOF:
		s.stop()
		if bad := s.verify(); bad != nil {
			err = bad
		}
	case err != nil:
		err = fmt.Errorf("unpack: %w", err)
	}
	s.end = err
	return n, err
}

// explained is the error that a layer was not made for, if any: what is wrong with the blob rather than what is wrong
// with a tar that came out of it.
func (s *source) explained(err error) error {
	s.stop()
	switch {
	case s.failed != nil:
		return fmt.Errorf("blob: %w", s.failed)
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	case errors.Is(err, tarfs.ErrIO), errors.Is(err, errTooLarge):
		return err
	}
	if bad := s.verify(); bad != nil {
		return bad
	}
	return err
}

// stop ends what reads the blob.
func (s *source) stop() {
	if s.plain != nil {
		s.plain.Close()
		s.plain = nil
	}
}

// Close closes the blob.
func (s *source) Close() error {
	s.stop()
	return s.blob.Close()
}
