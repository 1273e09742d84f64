package store

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// Layer is a layer that is kept, and held until Release.
type Layer struct {
	// DiffID is the digest of its tar.
	DiffID digest.Digest
	// Tar is the path of its tar.
	Tar string
	// Size is the length of the tar, which containers' images call the size of the uncompressed layer.
	Size int64
	// Bytes is the length of all its files.
	Bytes int64

	release func()
}

// Release says that the caller holds the layer no longer: a snapshot refers to it, or nobody needs it. Releasing
// again, or releasing a zero Layer, does nothing.
func (l Layer) Release() {
	if l.release != nil {
		l.release()
	}
}

// Get finds a layer, and holds it. One that is not kept is errdefs.ErrNotFound; so is one of which files are missing
// or were cut, which is removed, so that it can be made again.
func (s *Store) Get(id digest.Digest) (Layer, error) {
	key, err := keyOf(id)
	if err != nil {
		return Layer{}, err
	}
	release, err := s.hold(key)
	if err != nil {
		return Layer{}, err
	}
	it, err := s.kept(key)
	if err != nil {
		release()
		return Layer{}, err
	}
	return s.layer(key, it, release), nil
}

func (s *Store) layer(key string, it *keep.Item, release func()) Layer {
	return Layer{
		DiffID: digest.NewDigestFromEncoded(digest.SHA256, key),
		Tar:    s.items.Path(layersKind, key, tarFile),
		Size:   it.Files[tarFile], Bytes: it.Bytes(), release: release,
	}
}

// kept looks at a layer, and removes it if it is damaged.
func (s *Store) kept(key string) (*keep.Item, error) {
	if has, err := s.items.Has(layersKind, key); err != nil {
		return nil, err
	} else if !has {
		return nil, fmt.Errorf("layer sha256:%s: %w", key, errdefs.ErrNotFound)
	}
	s.repair.Lock()
	defer s.repair.Unlock()
	it, err := s.check(layersKind, key)
	if err == nil && s.isMarked(key) {
		// It stays for those who stand on it, until another is ready to take its place.
		return nil, fmt.Errorf("layer sha256:%s: its tar is damaged: %w", key, errdefs.ErrNotFound)
	}
	if !errors.Is(err, keep.ErrDamaged) {
		return it, err
	}
	s.log.Error("a kept layer is damaged: removed, to be made again", "layer", "sha256:"+key, "cause", err)
	if gone := s.items.Remove(layersKind, key); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		return nil, errors.Join(err, gone)
	}
	return nil, fmt.Errorf("layer sha256:%s: %w: %w", key, err, errdefs.ErrNotFound)
}

// layerOptions are how a layer's tar is read, whenever it is.
func (s *Store) layerOptions() *tarfs.LayerOptions {
	return &tarfs.LayerOptions{
		KeepPending: true, DropUnknownXattrs: !s.options.Strict, Limits: s.options.Limits,
	}
}
