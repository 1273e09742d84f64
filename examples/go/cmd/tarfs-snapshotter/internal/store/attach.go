package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// treeFile is the hash tree of an image's disk, as it came with the image. Its metadata is imageFile.
const treeFile = "image.verity"

// arrives is how long layers may take after what is attached to their image.
const arrives = time.Hour

// blockBytes are those of the data blocks of attached hash trees, and of the filesystem.
const blockBytes = 512

// ErrAttached says that what is attached to an image is not what it says it is.
var ErrAttached = errors.New("what is attached to the image is not right")

// Attached is what an image comes with, so that its layers need be neither indexed nor hashed.
type Attached struct {
	// Layers are the diffIDs of the image, the lowest first.
	Layers []digest.Digest
	// Root is the root hash of the image's disk.
	Root digest.Digest
	// DataBlocks are those of the disk, of 512 bytes.
	DataBlocks uint64
	// Fetch writes metadata and hash tree into two files. It sees to their lengths and digests.
	Fetch func(ctx context.Context, image, tree io.Writer) error
}

// Attach keeps what is attached to an image, unless it is kept, once it was found to be right; else it is ErrAttached,
// and nothing stays. It goes when its layers do: when all are there and one goes, or before when none of them is in use or
// held any more, and after an hour in any case if they are not all there by then.
func (s *Store) Attach(ctx context.Context, a Attached) error {
	layers, err := keysOf(a.Layers)
	if err != nil {
		return err
	}
	if len(layers) == 0 {
		return fmt.Errorf("%w: an image of no layers", ErrAttached)
	}
	key := s.attachedKey(layers)
	s.mu.Lock()
	s.arriving[key] = time.Now().Add(arrives)
	s.mu.Unlock()
	err = s.ensure(ctx, attachedKind, key, func(ctx context.Context, dir string) (*keep.Item, error) {
		return s.attach(ctx, a, layers, dir)
	})
	if err != nil {
		s.arrived(&keep.Item{Layers: layers})
	}
	return err
}

// IsAttached says whether what is attached to an image of these layers is kept.
func (s *Store) IsAttached(chain []digest.Digest) bool {
	layers, err := keysOf(chain)
	return err == nil && s.attachedTo(layers) != nil
}

// HasAttached is IsAttached without a look into it.
func (s *Store) HasAttached(chain []digest.Digest) bool {
	layers, err := keysOf(chain)
	if err != nil {
		return false
	}
	has, err := s.items.Has(attachedKind, s.attachedKey(layers))
	return err == nil && has
}

// attachedKey names what is attached by all that it has to fit to. Another version of the library may lay the disk out
// otherwise.
func (s *Store) attachedKey(layers []string) string {
	return s.keyOfMerged("attached", tarfs.Version(), layers)
}

// attachedTo finds what came with an image of these layers; nil without it.
func (s *Store) attachedTo(layers []string) *keep.Item {
	key := s.attachedKey(layers)
	has, err := s.items.Has(attachedKind, key)
	if err != nil {
		s.log.Error("what came with an image can't be looked at: not used", "item", attachedKind+"/"+key, "cause", err)
	}
	if !has {
		return nil
	}
	it, err := s.verify(attachedKind, key)
	if err != nil {
		s.log.Error("what came with an image is damaged: not used", "item", attachedKind+"/"+key, "cause", err)
		return nil
	}
	return it
}

// arrived says that the layers of what was attached are there: from now on it goes when they do.
func (s *Store) arrived(it *keep.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.arriving, s.attachedKey(it.Layers))
}

// copyAttached writes the metadata that came with an image.
func (s *Store) copyAttached(it *keep.Item, path string) (err error) {
	s.arrived(it)
	from, err := os.Open(s.items.Path(attachedKind, s.attachedKey(it.Layers), imageFile))
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// attach fetches both files and verifies them.
func (s *Store) attach(ctx context.Context, a Attached, layers []string, dir string) (*keep.Item, error) {
	defer s.options.Metrics.Stage("attached")()
	if err := fetch(ctx, a, dir); err != nil {
		return nil, err
	}
	// Each takes 1/16 of its image in memory.
	s.attaching.Lock()
	defer s.attaching.Unlock()
	if err := s.checkAttached(ctx, a, layers, dir); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAttached, err)
	}
	return &keep.Item{
		Layers: layers, Label: fmt.Sprintf("%d,0,%s", a.DataBlocks, a.Root), Sums: keep.Sums(imageFile, treeFile),
	}, nil
}

func fetch(ctx context.Context, a Attached, dir string) error {
	var files []*os.File
	for _, name := range []string{imageFile, treeFile} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		files = append(files, f)
	}
	return a.Fetch(ctx, files[0], files[1])
}
