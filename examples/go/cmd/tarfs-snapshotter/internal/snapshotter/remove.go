package snapshotter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// gonePrefix starts the names of directories on their way out.
const gonePrefix = "gone-"

// Remove ends a snapshot that no other stands on. Its layer stays until a Cleanup finds that no snapshot refers to it.
func (s *Snapshotter) Remove(ctx context.Context, key string) error {
	var id string
	err := s.meta.WithTransaction(ctx, true, func(ctx context.Context) (err error) {
		id, _, err = storage.Remove(ctx, key)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove snapshot %q: %w", key, err)
	}
	keep.Step()
	if err := s.discard(id); err != nil {
		// The snapshot is gone all the same. Cleanup tries again.
		s.log.Warn("a removed snapshot's directory was not removed", "snapshot", id, "cause", err)
	}
	if err := s.detachUnused(ctx); err != nil {
		s.log.Warn("what a removed snapshot stood on was not unmounted", "snapshot", id, "cause", err)
	}
	return nil
}

// discard removes the directory of a snapshot that is gone. It never comes back: IDs are not used again.
func (s *Snapshotter) discard(id string) error {
	s.sweep.Lock()
	gone, err := s.hide(id)
	s.sweep.Unlock()
	if errors.Is(err, os.ErrNotExist) {
		return nil // a Cleanup was faster
	}
	if err != nil {
		return err
	}
	keep.Step()
	return os.RemoveAll(gone)
}

// hide takes a directory out of sight, so that its name is free. It makes nothing new, so it works on a full disk.
func (s *Snapshotter) hide(name string) (gone string, err error) {
	gone = s.path(gonePrefix + rand.Text())
	return gone, os.Rename(s.path(name), gone)
}

// Cleanup removes directories of snapshots that are gone, and layers and images to which no snapshot refers.
func (s *Snapshotter) Cleanup(ctx context.Context) error {
	err := errors.Join(s.discardOrphans(ctx), s.detachUnused(ctx))
	_, failed := s.store.Collect(ctx, s.references)
	return errors.Join(err, failed, s.leftovers.sweep(time.Now()))
}

// discardOrphans removes the directories that belong to no snapshot. What has a temporary name may become one.
func (s *Snapshotter) discardOrphans(ctx context.Context) error {
	gone, err := s.hideOrphans(ctx)
	for _, path := range gone {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

func (s *Snapshotter) hideOrphans(ctx context.Context) (gone []string, err error) {
	s.sweep.Lock()
	defer s.sweep.Unlock()
	// While this transaction is open no directory gets the name of a snapshot that is not recorded yet. After it, one
	// may get the name that an orphan had.
	err = s.meta.WithTransaction(ctx, true, func(ctx context.Context) error {
		ids, err := storage.IDMap(ctx)
		if err != nil && !errdefs.IsNotFound(err) {
			return err
		}
		entries, err := os.ReadDir(s.dir)
		for _, entry := range entries {
			name := entry.Name()
			if _, ok := ids[name]; ok || keep.IsTemp(name) {
				continue
			}
			path := s.path(name)
			if !strings.HasPrefix(name, gonePrefix) {
				var failed error
				if path, failed = s.hide(name); failed != nil {
					err = errors.Join(err, failed)
					continue
				}
			}
			gone = append(gone, path)
		}
		return err
	})
	return gone, err
}

// recover removes what a killed process left, and tells what is missing.
func (s *Snapshotter) recover(ctx context.Context) error {
	if err := s.Cleanup(ctx); err != nil {
		return err
	}
	return s.meta.WithTransaction(ctx, false, func(ctx context.Context) error {
		ids, err := storage.IDMap(ctx)
		if errdefs.IsNotFound(err) {
			return nil
		}
		for id, name := range ids {
			_, info, _, failed := storage.GetInfo(ctx, name)
			if failed == nil {
				failed = s.recoverOne(id, info)
			}
			err = errors.Join(err, failed)
		}
		return err
	})
}

// recoverOne looks after the directory of a snapshot. One that is missing was not removed by us.
func (s *Snapshotter) recoverOne(id string, info snapshots.Info) error {
	if _, err := os.Stat(s.upper(id)); errors.Is(err, os.ErrNotExist) {
		s.log.Error("a snapshot's directory is missing", "snapshot", info.Name, "directory", filepath.Join(s.dir, id))
		return nil
	}
	if info.Kind != snapshots.KindCommitted {
		return nil
	}
	layer, _ := layerOf(info)
	kept, err := s.store.Get(layer)
	if errdefs.IsNotFound(err) {
		s.log.Error("a snapshot's layer is missing", "snapshot", info.Name, "layer", layer)
		return nil // what was written to it may still be there, and nowhere else
	}
	if err != nil {
		return err
	}
	kept.Release()
	return s.empty(id)
}
