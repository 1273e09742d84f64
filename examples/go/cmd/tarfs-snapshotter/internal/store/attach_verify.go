package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// checkAttached holds both files against the root hash: the tree's levels by it, the metadata by the tree. Of the tars
// nothing is read.
func (s *Store) checkAttached(ctx context.Context, a Attached, layers []string, dir string) error {
	tree, err := keep.ReadBootstrap(filepath.Join(dir, imageFile), s.options.Limits)
	if err != nil {
		return err
	}
	defer tree.Close()
	if err := s.isWithinLimits(tree, len(layers)); err != nil {
		return err
	}
	if err := hasOurBytes(ctx, tree, dir); err != nil {
		return err
	}
	layout, err := tarfs.Plan(tree, &tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst, Limits: s.options.Limits})
	if err != nil {
		return err
	}
	defer layout.Close()
	for _, device := range layout.Devices() {
		if !slices.Contains(layers, device.Tag) {
			return fmt.Errorf("the metadata is over %q, which is none of the image's layers", device.Tag)
		}
	}
	leaves, err := leavesOf(ctx, filepath.Join(dir, treeFile), a.Root, a.DataBlocks, layout)
	if err != nil {
		return err
	}
	defer leaves.close()
	sources := make([]io.ReaderAt, len(layout.Devices()))
	for i := range sources {
		sources[i] = noTar{}
	}
	file, err := os.Open(filepath.Join(dir, treeFile))
	if err != nil {
		return err
	}
	defer file.Close()
	sealed, err := layout.HashDisk(ctx, sources, leaves.list, nil, same{file})
	if err != nil {
		return err
	}
	defer sealed.Close()
	s.options.Metrics.Hashed("disk", int64(sealed.Info().DataBytes)-leaves.bytes)
	if root := "sha256:" + sealed.RootHex(); root != a.Root.String() {
		return fmt.Errorf("metadata and hash tree give the root hash %s, and should give %s", root, a.Root)
	}
	return nil
}

// isWithinLimits refuses metadata that are over a limit, as they would be if they were made here of so many layers.
// Inodes and depth were counted where they were read.
func (s *Store) isWithinLimits(tree *tarfs.Tree, layers int) error {
	limits := s.options.Limits
	// Of all layers, none of which has more; without overflow.
	if inodes := tree.Info().Inodes; limits.MaxEntries > 0 && inodes/uint64(layers) > limits.MaxEntries {
		return fmt.Errorf("metadata of %d files, and max_layer_entries allows %d in each of %d layers", inodes, limits.MaxEntries, layers)
	}
	return nil
}

// hasOurBytes refuses metadata with other bytes than this library writes of the files in it: what a kernel makes of them
// nobody has looked at.
func hasOurBytes(ctx context.Context, tree *tarfs.Tree, dir string) error {
	again := filepath.Join(dir, "again.erofs")
	if err := keep.WriteBootstrap(ctx, tree, again); err != nil {
		return err
	}
	ours, err := keep.SumOf(again)
	if err != nil {
		return err
	}
	theirs, err := keep.SumOf(filepath.Join(dir, imageFile))
	if err != nil {
		return err
	}
	if ours != theirs {
		return errors.New("the metadata has other bytes than are written here of the same files: it is of another format version, or changed")
	}
	return os.Remove(again)
}

// TreeBytes is how long the hash tree of so many blocks is. Too many are an error.
func TreeBytes(dataBlocks uint64) (int64, error) {
	sealed, err := tarfs.NewSealed(&tarfs.VerityParams{Placement: tarfs.HashOwnFile}, dataBlocks*blockBytes, [32]byte{})
	if err != nil {
		return 0, err
	}
	defer sealed.Close()
	return int64(sealed.Info().End), nil
}

// noTar is in the place of tars that are not to be read.
type noTar struct{}

func (noTar) ReadAt([]byte, int64) (int, error) {
	return 0, errors.New("a layer would have to be read, as it does not end with a block of the hash tree")
}

// same takes only what a file has already.
type same struct{ file io.ReaderAt }

func (s same) WriteAt(p []byte, at int64) (int, error) {
	has := make([]byte, len(p))
	if _, err := s.file.ReadAt(has, at); err != nil {
		return 0, err
	}
	if !bytes.Equal(has, p) {
		return 0, fmt.Errorf("the hash tree is not that of metadata and layers, in the %d bytes from %d on", len(p), at)
	}
	return len(p), nil
}

// leaves are the digests of the tars' blocks, in the order of a layout's devices.
type leaves struct {
	list  []*tarfs.Leaves
	bytes int64 // of which they are
}

func (l *leaves) close() {
	for _, one := range l.list {
		one.Close()
	}
}

// leavesOf reads leaves out of a hash tree, and verifies them by its root hash.
func leavesOf(ctx context.Context, path string, root digest.Digest, dataBlocks uint64, layout *tarfs.Layout) (*leaves, error) {
	key, err := keyOf(root)
	if err != nil {
		return nil, fmt.Errorf("root hash %q is no SHA-256", root)
	}
	raw, err := hex.DecodeString(key)
	if err != nil {
		return nil, err
	}
	data := layout.Info().DiskBytes
	if dataBlocks != (data+blockBytes-1)/blockBytes {
		return nil, fmt.Errorf("a hash tree of %d blocks, and the disk of the metadata has %d bytes", dataBlocks, data)
	}
	sealed, err := tarfs.NewSealed(&tarfs.VerityParams{Placement: tarfs.HashOwnFile}, dataBlocks*blockBytes, [32]byte(raw))
	if err != nil {
		return nil, err
	}
	defer sealed.Close()
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if stat, err := file.Stat(); err != nil {
		return nil, err
	} else if uint64(stat.Size()) != sealed.Info().End {
		return nil, fmt.Errorf("a hash tree of %d bytes, and of %d blocks it has %d", stat.Size(), dataBlocks, sealed.Info().End)
	}
	l := &leaves{}
	for _, device := range layout.Devices() {
		one, err := tarfs.ReadLeaves(ctx, file, sealed, device.DiskOffset, int64(device.Bytes), 0)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("hash tree: %w", err)
		}
		l.list, l.bytes = append(l.list, one), l.bytes+int64(device.Bytes/blockBytes*blockBytes)
	}
	return l, nil
}
