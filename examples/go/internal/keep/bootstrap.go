package keep

import (
	"context"
	"errors"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// WriteLayer writes the bootstrap of a layer, so that merging need not read the tar again. Few
// layers have none: one with a hard link into a lower layer is no image by itself, and one with
// sparse files that the bootstrap has to hold parts of would be two devices.
func WriteLayer(ctx context.Context, tree *tarfs.Tree, path string, limits tarfs.Limits) error {
	if err := WriteBootstrap(ctx, tree, path); err != nil {
		if errors.Is(err, tarfs.ErrLayout) && hasPending(tree) {
			return nil
		}
		return err
	}
	again, err := ReadBootstrap(path, limits)
	if err != nil {
		return err
	}
	defer again.Close()
	if again.Info().Devices > 1 {
		return os.Remove(path)
	}
	return nil
}

// hasPending says whether a layer has a hard link into a lower one.
func hasPending(tree *tarfs.Tree) bool {
	for inode := range tree.Info().Inodes {
		stat, err := tree.Stat(uint32(inode))
		if err == nil && stat.Flags&tarfs.Pending != 0 {
			return true
		}
	}
	return false
}

// WriteBootstrap writes the metadata of a tree into a new file.
func WriteBootstrap(ctx context.Context, tree *tarfs.Tree, path string) error {
	layout, err := tarfs.Plan(tree, &tarfs.LayoutOptions{Artifact: tarfs.Bootstrap})
	if err != nil {
		return err
	}
	defer layout.Close()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(layout.WriteMetadata(ctx, f), f.Close())
}

// OpenBootstrap opens an image.
func OpenBootstrap(path string) (*tarfs.Image, error) {
	f, err := openUnlinked(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return tarfs.OpenImage(f, 0)
}

// ReadBootstrap reads an image's tree, which costs no more than limits allow.
func ReadBootstrap(path string, limits tarfs.Limits) (*tarfs.Tree, error) {
	image, err := OpenBootstrap(path)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	return image.Tree(&tarfs.ImageOptions{Limits: limits})
}
