package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// dataBlock is the length of a disk's data blocks: that of the blocks of EROFS in it.
const dataBlock = 512

// scrubDisk finds by its lengths, and of one with its hash tree behind it by reading all, that a disk is not what it was
// made as, and makes it again. Of a disk without a tree, and of a tree without its disk, lengths are all that is known.
func (s *Store) scrubDisk(ctx context.Context, key string) error {
	it, err := s.verify(disksKind, key)
	if err == nil {
		if _, has := it.Files[diskFile]; !has || it.Label == "" {
			return nil
		}
		err = verifySealed(ctx, s.items.Path(disksKind, key, diskFile), it)
	}
	if !errors.Is(err, keep.ErrDamaged) {
		return err
	}
	it, failed := s.items.Info(disksKind, key)
	if failed != nil || s.diskKey(tarfs.Mode(it.Mode), it.Layers) != key {
		return err // of another version of the library: nobody asks for it any more
	}
	for _, layer := range it.Layers {
		if s.isMarked(layer) {
			return err // of a damaged tar comes another disk
		}
	}
	s.log.Error("damaged: made again", "item", disksKind+"/"+key, "cause", err)
	if failed := s.remakeDisk(ctx, key, it); failed != nil {
		return fmt.Errorf("%w; it stays, as it can't be made again: %w", err, failed)
	}
	return nil
}

// remakeDisk puts the same disk in the place of a damaged one. That one has its name until then: containers stand on it,
// and others are started on it, as most of it can be read; what can't be is an error where it is read.
func (s *Store) remakeDisk(ctx context.Context, key string, it *keep.Item) error {
	release, err := s.hold(it.Layers...)
	if err != nil {
		return err
	}
	defer release()
	if err := s.whole(it.Layers); err != nil {
		return err
	}
	// Whoever asks for it meanwhile waits for this.
	_, err = s.flights.Do(ctx, key, nil, func(ctx context.Context, _ func()) error {
		return s.items.Replace(disksKind, key, func(dir string) (*keep.Item, error) {
			made, err := s.fillDisk(ctx, tarfs.Mode(it.Mode), it.Layers, dir)
			if err == nil && made.Label != it.Label {
				err = fmt.Errorf("made again its hash tree is %q, not %q", made.Label, it.Label)
			}
			return made, err
		})
	})
	return err
}

// verifySealed holds a disk against what an item says of it: data blocks, offset of the tree, root hash.
func verifySealed(ctx context.Context, path string, it *keep.Item) error {
	damaged := func(err error) error { return fmt.Errorf("%w: %s: %w", keep.ErrDamaged, path, err) }
	sealed, err := sealedOf(it)
	if err != nil {
		return damaged(fmt.Errorf("label %q: %w", it.Label, err))
	}
	defer sealed.Close()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if info := sealed.Info(); info.HasSuperblock {
		superblock := make([]byte, 512)
		if _, err := file.ReadAt(superblock, int64(info.HashOffset)); err != nil {
			return keep.Unreadable(err)
		}
		if err := verifySuperblock(superblock, sealed); err != nil {
			return damaged(err)
		}
	}
	// One thread: containers go before.
	err = tarfs.Verify(ctx, file, file, sealed, 1)
	switch {
	case errors.Is(err, tarfs.ErrMismatch):
		return damaged(err)
	case errors.As(err, new(syscall.Errno)):
		return keep.Unreadable(fmt.Errorf("%s: %w", path, err))
	}
	return err
}

// sealedOf is the geometry and root hash of an item's disk.
func sealedOf(it *keep.Item) (*tarfs.Sealed, error) {
	var blocks, offset uint64
	var digits string
	if _, err := fmt.Sscanf(it.Label, "%d,%d,sha256:%s", &blocks, &offset, &digits); err != nil {
		return nil, err
	}
	root, err := hex.DecodeString(digits)
	if err != nil {
		return nil, err
	}
	params := &tarfs.VerityParams{Placement: tarfs.HashBehindData}
	if _, has := it.Files[sidecarFile]; has { // which says where a superblock is
		params.Superblock = tarfs.SuperblockDerived
	}
	sealed, err := tarfs.NewSealedRoot(params, blocks*dataBlock, root)
	if err != nil {
		return nil, err
	}
	if at := sealed.Info().TreeOffset; at != offset {
		sealed.Close()
		return nil, fmt.Errorf("the tree of so many blocks is at byte %d", at)
	}
	return sealed, nil
}

// verifySuperblock says that a disk has the verity superblock that it was made with. The root hash is not about it.
func verifySuperblock(superblock []byte, sealed *tarfs.Sealed) error {
	there, err := tarfs.ParseSealed(superblock, tarfs.HashBehindData, 0, sealed.RootHex())
	if err != nil {
		return err
	}
	defer there.Close()
	if there.Info() != sealed.Info() {
		return fmt.Errorf("the verity superblock at byte %d is another one", sealed.Info().HashOffset)
	}
	return nil
}
