package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// fitting finds what came with an image of layers that are kept, once it was found to be over tars of their lengths: that
// is known only now. Else it is removed.
func (s *Store) fitting(layers []string) *keep.Item {
	it := s.attachedTo(layers)
	if it == nil {
		return nil
	}
	if err := s.fits(it); err != nil {
		s.dropAttached(layers, err)
		return nil
	}
	return it
}

func (s *Store) fits(it *keep.Item) error {
	image, err := keep.OpenBootstrap(s.items.Path(attachedKind, s.attachedKey(it.Layers), imageFile))
	if err != nil {
		return err
	}
	defer image.Close()
	for _, device := range image.Devices() {
		stat, err := os.Stat(s.items.Path(layersKind, device.Tag, tarFile))
		if err != nil {
			return err
		}
		// A device is whole blocks of its tar.
		if blocks := (uint64(stat.Size()) + blockBytes - 1) / blockBytes; device.Blocks != blocks {
			return fmt.Errorf("%w: it is over %d blocks of the layer sha256:%s, which has %d", ErrAttached, device.Blocks, device.Tag, blocks)
		}
	}
	return nil
}

// dropAttached removes what turned out not to fit, so that all is made here.
func (s *Store) dropAttached(layers []string, cause error) {
	s.log.Error("what came with an image does not fit: made here", "cause", cause)
	if err := s.items.Remove(attachedKind, s.attachedKey(layers)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Error("it was not removed", "cause", err)
	}
}
