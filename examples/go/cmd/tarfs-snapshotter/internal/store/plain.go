package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/opencontainers/go-digest"
)

// IngestPlain keeps a layer whose metadata came with its image: it is written down as it comes, and neither indexed nor
// hashed block by block. It has to have its diffID, by which layers are shared among images. It is held until its
// Release. An error leaves nothing behind.
func (s *Store) IngestPlain(ctx context.Context, want digest.Digest, tar io.Reader) (Layer, error) {
	key, err := keyOf(want)
	if err != nil {
		return Layer{}, err
	}
	layer, err := s.ingestPlain(ctx, key, tar)
	if err != nil {
		err = fmt.Errorf("layer %s: %w", want, err)
	}
	return layer, err
}

func (s *Store) ingestPlain(ctx context.Context, key string, tar io.Reader) (Layer, error) {
	draft, err := s.items.Begin(layersKind)
	if err != nil {
		return Layer{}, err
	}
	defer draft.Drop()
	streamed := s.options.Metrics.Stage("stream")
	got, err := s.writePlain(ctx, draft, tar)
	if err != nil {
		return Layer{}, err
	}
	streamed()
	if got != key {
		return Layer{}, fmt.Errorf("%w: it has sha256:%s", ErrDiffID, got)
	}
	return s.keepNew(draft, key)
}

// writePlain writes a tar, and says its SHA-256 in hex.
func (s *Store) writePlain(ctx context.Context, draft *keep.Draft, tar io.Reader) (string, error) {
	file, err := os.OpenFile(filepath.Join(draft.Dir, tarFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(file, sum)}, struct{ io.Reader }{tar}, make([]byte, 256<<10))
	if err != nil {
		return "", err
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	s.options.Metrics.Hashed("tar", n)
	return hex.EncodeToString(sum.Sum(nil)), file.Close()
}
