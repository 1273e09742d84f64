package keep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// tree reads the metadata of a layer. Where a few layers have none, and where it has other bytes than it had, the
// tar is read again; damaged metadata is replaced then.
func (f Files) tree(ctx context.Context, tar *os.File) (*tarfs.Tree, error) {
	damaged := f.damaged()
	if damaged == nil {
		tree, err := ReadBootstrap(f.Bootstrap, f.limits())
		if !errors.Is(err, fs.ErrNotExist) {
			return tree, err
		}
		return indexAgain(ctx, tar, f.Options)
	}
	if !errors.Is(damaged, ErrDamaged) {
		return nil, damaged
	}
	// One at a time: they write to one name.
	remaking.Lock()
	defer remaking.Unlock()
	if f.damaged() == nil {
		return ReadBootstrap(f.Bootstrap, f.limits()) // somebody was faster
	}
	tree, err := indexAgain(ctx, tar, f.Options)
	if err != nil {
		return nil, errors.Join(damaged, err)
	}
	err = f.replace(ctx, tree)
	if errors.Is(err, errOther) && f.Options != nil && f.isOf(ctx, tar, f.Options.Tag) == nil {
		err = nil
	}
	if err != nil {
		tree.Close()
		return nil, errors.Join(damaged, err)
	}
	if f.Remade != nil {
		f.Remade(damaged)
	}
	return tree, nil
}

// limits are how much the layer may cost, whatever is read of it.
func (f Files) limits() tarfs.Limits {
	if f.Options == nil {
		return tarfs.Limits{}
	}
	return f.Options.Limits
}

// damaged says what is wrong with the metadata, if its sum is known.
func (f Files) damaged() error {
	if f.Sum == "" {
		return nil
	}
	got, err := SumOf(f.Bootstrap)
	if err != nil {
		return Unreadable(err)
	}
	if got != f.Sum {
		return fmt.Errorf("%w: %s has other bytes than it had", ErrDamaged, f.Bootstrap)
	}
	return nil
}

// remaking is held while metadata is made again.
var remaking sync.Mutex

// errOther says that a tar gives other metadata than it did: it is not what it was, or it was read by another version
// of the library, or with other options. Its own digest, which is its key, decides; in the latter cases the tree is
// right, and the metadata stays as it is.
var errOther = fmt.Errorf("%w: the tar gives other metadata than it did", ErrDamaged)

// replace writes the metadata anew. The same tar gives the same bytes.
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
		return fmt.Errorf("%s: %w", f.Bootstrap, errOther)
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
