package keep

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// Files are those of a layer that is kept. Its tar is its only device, tagged with its key.
type Files struct {
	// Tar is the layer, uncompressed.
	Tar string
	// Bootstrap is its metadata. Few layers have none: see WriteLayer.
	Bootstrap string
	// Sum is the SHA-256 of its metadata, in hex; empty if it is not known. Metadata with another one is made again
	// of the tar.
	Sum string
	// Remade is told of that, and why it was; it may be nil.
	Remade func(damaged error)
	// Options are how the tar is read again where there is no bootstrap.
	Options *tarfs.LayerOptions
}

// Sources are layers that are open: trees, and the tars behind them.
type Sources struct {
	// List has the layers in their order.
	List  []tarfs.Source
	files []*os.File
	roots []*tarfs.Tree
}

// Close closes trees and tars.
func (s *Sources) Close() {
	for _, tree := range s.roots {
		tree.Close()
	}
	for _, f := range s.files {
		f.Close()
	}
}

// Trees are those of the layers, in their order.
func (s *Sources) Trees() []*tarfs.Tree {
	trees := make([]*tarfs.Tree, len(s.List))
	for i := range s.List {
		trees[i] = s.List[i].Tree
	}
	return trees
}

// OpenSources opens layers; one that is repeated is opened once.
func OpenSources(ctx context.Context, layers []string, where func(key string) Files) (*Sources, error) {
	s := &Sources{}
	byKey := map[string]tarfs.Source{}
	for _, key := range layers {
		source, ok := byKey[key]
		if !ok {
			var err error
			if source, err = s.open(ctx, key, where(key)); err != nil {
				s.Close()
				return nil, fmt.Errorf("layer %s: %w", key, err)
			}
			byKey[key] = source
		}
		s.List = append(s.List, source)
	}
	return s, nil
}

// open opens a layer's tar and reads its bootstrap, which Close will close.
func (s *Sources) open(ctx context.Context, key string, at Files) (tarfs.Source, error) {
	tar, err := openUnlinked(at.Tar)
	if err != nil {
		return tarfs.Source{}, err
	}
	s.files = append(s.files, tar)
	tree, err := at.tree(ctx, tar)
	if err != nil {
		return tarfs.Source{}, err
	}
	s.roots = append(s.roots, tree)
	source := tarfs.Source{Tree: tree}
	devices, err := tree.Devices()
	if err != nil || len(devices) == 0 { // no file of it has data
		return source, err
	}
	if len(devices) != 1 || devices[0].Tag != key {
		return source, fmt.Errorf("%w: bootstrap is not of its tar", ErrDamaged)
	}
	source.Devices = []io.ReaderAt{tar}
	return source, nil
}

// indexAgain makes the tree of a layer that has no bootstrap.
func indexAgain(ctx context.Context, tar *os.File, options *tarfs.LayerOptions) (*tarfs.Tree, error) {
	layer, err := tarfs.IndexFile(ctx, tar, options)
	if err != nil {
		return nil, err
	}
	return layer.Tree, nil
}
