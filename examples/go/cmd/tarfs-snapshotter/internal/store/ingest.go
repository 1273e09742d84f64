package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/dropped"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// ErrDiffID says that a layer's tar does not have the diffID that it should have.
var ErrDiffID = errors.New("layer does not have its diffID")

// Ingest keeps a layer: it reads the tar to its end, once, writes it down and indexes it on the way. Want is the diffID
// that it must have; empty for any. The layer is held until its Release. An error leaves nothing behind.
func (s *Store) Ingest(ctx context.Context, want digest.Digest, tar io.Reader) (Layer, error) {
	if want != "" {
		if _, err := keyOf(want); err != nil {
			return Layer{}, err
		}
	}
	layer, err := s.ingest(ctx, want, tar)
	if err != nil && want != "" {
		err = fmt.Errorf("layer %s: %w", want, err)
	}
	return layer, err
}

func (s *Store) ingest(ctx context.Context, want digest.Digest, tar io.Reader) (Layer, error) {
	draft, err := s.items.Begin(layersKind)
	if err != nil {
		return Layer{}, err
	}
	defer draft.Drop()
	streamed := s.options.Metrics.Stage("stream")
	read, err := s.write(ctx, draft.Dir, tar)
	if err != nil {
		return Layer{}, err
	}
	defer read.Close()
	streamed()
	key := hex.EncodeToString(read.Info.DiffID[:])
	if got := digest.NewDigestFromEncoded(digest.SHA256, key); want != "" && got != want {
		return Layer{}, fmt.Errorf("%w: it has %s", ErrDiffID, got)
	}
	written := s.options.Metrics.Stage("index")
	if err := keep.WriteLayer(ctx, read.Tree, filepath.Join(draft.Dir, indexFile), s.options.Limits); err != nil {
		return Layer{}, err
	}
	written()
	s.options.Metrics.Hashed("tar", int64(read.Info.Bytes))
	s.options.Metrics.Indexed(int64(read.Info.Bytes))
	dropped.Report(s.log, s.options.Metrics, digest.NewDigestFromEncoded(digest.SHA256, key), read.Info)
	return s.keepNew(draft, key)
}

// keepNew gives a new layer its name.
func (s *Store) keepNew(draft *keep.Draft, key string) (Layer, error) {
	defer s.options.Metrics.Stage("sync")()
	// Held before it has its name: no collection finds it without a user.
	release, err := s.hold(key)
	if err != nil {
		return Layer{}, err
	}
	layer, err := s.publish(draft, key, release)
	if err != nil {
		release()
	}
	return layer, err
}

// write writes a layer's tar into a directory, and reads it on the way.
func (s *Store) write(ctx context.Context, dir string, tar io.Reader) (*tarfs.Layer, error) {
	file, err := os.OpenFile(filepath.Join(dir, tarFile), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	options := s.layerOptions()
	options.TagDiffID, options.Tee, options.Strict = true, file, s.options.Strict
	w, err := tarfs.NewLayerWriter(ctx, options)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if _, err := io.Copy(w, tar); err != nil {
		return nil, err
	}
	read, err := w.Finish()
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		read.Close()
		return nil, err
	}
	return read, nil
}

// publish gives a layer its name, unless one with its bytes has it by now.
func (s *Store) publish(draft *keep.Draft, key string, release func()) (Layer, error) {
	if s.isMarked(key) {
		s.repair.Lock()
		err := s.items.Remove(layersKind, key)
		s.repair.Unlock()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Layer{}, err
		}
		defer s.unmark(key)
	}
	has, err := s.items.Has(layersKind, key)
	if err != nil {
		return Layer{}, err
	}
	if has {
		// One that is damaged must not stay in the place of this one.
		if _, err := s.kept(key); err != nil {
			if has, unseen := s.items.Has(layersKind, key); has || unseen != nil {
				return Layer{}, err
			}
		}
	}
	if err := draft.Publish(key, &keep.Item{Layers: []string{key}, Sums: keep.Sums(indexFile)}); err != nil {
		return Layer{}, err
	}
	it, err := s.check(layersKind, key)
	if err != nil {
		return Layer{}, err
	}
	return s.layer(key, it, release), nil
}
