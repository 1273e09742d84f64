package store

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// ofAttached is what of a disk came with its image; zero without.
type ofAttached struct {
	root  string // sha256:HEX
	known int64  // bytes of the disk that are not hashed again
}

// check holds the root hash of a disk against that of what was attached. They differ only if a file was changed since.
func (a ofAttached) check(root string) error {
	if a.root == "" || a.root == "sha256:"+root {
		return nil
	}
	return fmt.Errorf("%w: the disk has the root hash %s, and should have %s", ErrAttached, root, a.root)
}

// sources of a disk, which are closed together.
type diskSources struct {
	*keep.Sources
	leaves *leaves
	files  []*os.File
	tree   *tarfs.Tree
}

// Close closes what is open.
func (d *diskSources) Close() {
	if d.Sources != nil {
		d.Sources.Close()
	}
	if d.leaves != nil {
		d.leaves.close()
	}
	if d.tree != nil {
		d.tree.Close()
	}
	for _, f := range d.files {
		f.Close()
	}
}

// sourcesOfDisk are what the disk of layers is made of: the layers, or, of an image with which it came, its metadata over
// their tars, with the digests of their blocks.
func (s *Store) sourcesOfDisk(ctx context.Context, mode tarfs.Mode, layers []string) (*diskSources, ofAttached, error) {
	it := (*keep.Item)(nil)
	if mode.OfImage() {
		it = s.fitting(layers)
	}
	if it == nil {
		sources, err := s.sources(ctx, layers)
		return &diskSources{Sources: sources}, ofAttached{}, err
	}
	d := &diskSources{}
	attached, err := s.openAttached(ctx, it, mode, d)
	if err != nil {
		d.Close()
		return nil, attached, fmt.Errorf("%w: %w", ErrAttached, err)
	}
	return d, attached, nil
}

func (s *Store) openAttached(ctx context.Context, it *keep.Item, mode tarfs.Mode, d *diskSources) (a ofAttached, err error) {
	key := s.attachedKey(it.Layers)
	if d.tree, err = keep.ReadBootstrap(s.items.Path(attachedKind, key, imageFile), s.options.Limits); err != nil {
		return a, err
	}
	source := tarfs.Source{Tree: d.tree}
	devices, err := d.tree.Devices()
	if err != nil {
		return a, err
	}
	for _, device := range devices {
		f, err := os.Open(s.items.Path(layersKind, device.Tag, tarFile))
		if err != nil {
			return a, err
		}
		d.files = append(d.files, f)
		source.Devices = append(source.Devices, io.ReaderAt(f))
	}
	d.Sources = &keep.Sources{}
	if mode.HasTree() {
		layout, err := tarfs.Plan(d.tree, &tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst})
		if err != nil {
			return a, err
		}
		defer layout.Close()
		var blocks uint64
		var root string
		if _, err := fmt.Sscanf(it.Label, "%d,0,%s", &blocks, &root); err != nil {
			return a, fmt.Errorf("label %q: %w", it.Label, err)
		}
		if d.leaves, err = leavesOf(ctx, s.items.Path(attachedKind, key, treeFile), digest.Digest(root), blocks, layout); err != nil {
			return a, err
		}
		source.Leaves, a = d.leaves.list, ofAttached{root, d.leaves.bytes}
	}
	d.List = []tarfs.Source{source}
	return a, nil
}
