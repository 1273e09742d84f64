package keep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// tree reads the metadata of a layer. Where a few layers have none, and where it has other bytes than it had, the
// tar is read again; damaged metadata is replaced then.
func (f Files) tree(ctx context.Context, tar *os.File) (*tarfs.Tree, error) {
	damaged := f.damaged()
	if damaged == nil {
		tree, err := ReadBootstrap(f.Bootstrap)
		if !errors.Is(err, fs.ErrNotExist) {
			return tree, err
		}
		return indexAgain(ctx, tar, f.Options)
	}
	if !errors.Is(damaged, ErrDamaged) {
		return nil, damaged
	}
	tree, err := indexAgain(ctx, tar, f.Options)
	if err != nil {
		return nil, errors.Join(damaged, err)
	}
	if err := f.replace(ctx, tree); err != nil {
		tree.Close()
		return nil, errors.Join(damaged, err)
	}
	if f.Remade != nil {
		f.Remade(damaged)
	}
	return tree, nil
}

// damaged says what is wrong with the metadata, if its sum is known.
func (f Files) damaged() error {
	if f.Sum == "" {
		return nil
	}
	got, err := SumOf(f.Bootstrap)
	if err != nil {
		return damage(err)
	}
	if got != f.Sum {
		return fmt.Errorf("%w: %s has other bytes than it had", ErrDamaged, f.Bootstrap)
	}
	return nil
}

// replace writes the metadata anew. The same tar gives the same bytes: with others the tar is not what it was.
func (f Files) replace(ctx context.Context, tree *tarfs.Tree) error {
	path := filepath.Join(filepath.Dir(f.Bootstrap), TempPrefix+filepath.Base(f.Bootstrap))
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // of a process that was killed
	}
	defer os.Remove(path)
	if err := WriteBootstrap(ctx, tree, path); err != nil {
		return err
	}
	switch got, err := SumOf(path); {
	case err != nil:
		return err
	case got != f.Sum:
		return fmt.Errorf("%w: the tar of %s gives other metadata than it did", ErrDamaged, f.Bootstrap)
	}
	if err := SyncPath(path); err != nil {
		return err
	}
	Step()
	if err := os.Rename(path, f.Bootstrap); err != nil {
		return err
	}
	return SyncPath(filepath.Dir(f.Bootstrap))
}
