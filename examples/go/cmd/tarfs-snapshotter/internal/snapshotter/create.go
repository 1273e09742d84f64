package snapshotter

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/opencontainers/go-digest"
)

// Prepare makes an active snapshot. Of a layer that is kept, the mounts are read-only: there is nothing to apply.
func (s *Snapshotter) Prepare(ctx context.Context, key, parent string, opts ...snapshots.Opt) ([]mount.Mount, error) {
	return s.create(ctx, snapshots.KindActive, key, parent, opts)
}

// View makes a snapshot that is only read.
func (s *Snapshotter) View(ctx context.Context, key, parent string, opts ...snapshots.Opt) ([]mount.Mount, error) {
	return s.create(ctx, snapshots.KindView, key, parent, opts)
}

// create merges first what a snapshot stands on, so that none is made whose mounts can't be had.
func (s *Snapshotter) create(ctx context.Context, kind snapshots.Kind, key, parent string, opts []snapshots.Opt) ([]mount.Mount, error) {
	info, err := given(opts)
	if err != nil {
		return nil, err
	}
	info.Kind, info.Parent = kind, parent
	if _, err := rootOwner(info); err != nil {
		return nil, err
	}
	kept, err := s.known(info)
	if err != nil {
		return nil, err
	}
	defer kept.Release()
	if kept.DiffID != "" {
		if err := s.Ready(ctx, kept); err != nil {
			return nil, err
		}
		info.Labels[labelLayer] = kept.DiffID.String()
	}
	below, image, err := s.image(ctx, info)
	if err != nil {
		return nil, err
	}
	defer image.Release()
	image, disk, err := s.exportedImage(ctx, info, below, image)
	if err != nil {
		return nil, err
	}
	s.using.RLock()
	defer s.using.RUnlock()
	if s.options.Plain && !isBind(info) {
		if _, err := s.attach(image); err != nil {
			return nil, err
		}
	}
	id, err := s.record(ctx, key, info, below, disk)
	if err != nil {
		return nil, err
	}
	if kept.DiffID != "" {
		s.options.Metrics.Reused()
	}
	return s.mounts(id, info, image)
}

// known finds the layer that a snapshot is made to unpack, if it is kept; else the layer is zero.
func (s *Snapshotter) known(info snapshots.Info) (store.Layer, error) {
	id := info.Labels[snapshots.LabelSnapshotDiffID]
	if info.Kind != snapshots.KindActive || !isUnpack(info) || id == "" {
		return store.Layer{}, nil
	}
	layer, err := s.store.Get(digest.Digest(id))
	if errdefs.IsNotFound(err) {
		return store.Layer{}, nil
	}
	return layer, err
}

// image makes what a snapshot's parent and those below it merge into, if its mounts need that.
func (s *Snapshotter) image(ctx context.Context, info snapshots.Info) ([]digest.Digest, store.Image, error) {
	if info.Parent == "" {
		return nil, store.Image{}, nil
	}
	var below []digest.Digest
	err := s.meta.WithTransaction(ctx, false, func(ctx context.Context) (err error) {
		below, err = chain(ctx, info.Parent)
		return err
	})
	if err != nil || isBind(info) {
		return below, store.Image{}, err
	}
	image, err := s.store.Image(ctx, below)
	return below, image, err
}

// record makes a snapshot: its directory and its metadata, which appear in one transaction.
func (s *Snapshotter) record(ctx context.Context, key string, info snapshots.Info, below []digest.Digest, disk store.Disk) (id string, err error) {
	temporary, err := s.directory(ctx, info)
	if err != nil {
		return "", err
	}
	named := false
	defer func() {
		if err == nil {
			return
		}
		os.RemoveAll(temporary)
		if !named {
			return
		}
		// The next snapshot may get the same name, so it goes in a transaction.
		if failed := s.discardOrphans(context.WithoutCancel(ctx)); failed != nil {
			s.log.Warn("the directory of a snapshot that was not made was not removed", "cause", failed)
		}
	}()
	err = s.meta.WithTransaction(ctx, true, func(ctx context.Context) error {
		snapshot, err := storage.CreateSnapshot(ctx, info.Kind, key, info.Parent, as(info))
		if err != nil {
			return fmt.Errorf("create snapshot %q: %w", key, err)
		}
		id = snapshot.ID
		if now, err := chain(ctx, info.Parent); err != nil || !slices.Equal(now, below) {
			return fmt.Errorf("parent %q was replaced meanwhile: %w", info.Parent, errdefs.ErrFailedPrecondition)
		}
		if err := labelImage(ctx, info.Parent, disk); err != nil {
			return err
		}
		if err := s.own(filepath.Join(temporary, "fs"), info, snapshot.ParentIDs); err != nil {
			return err
		}
		if err := os.Rename(temporary, s.path(id)); err != nil {
			return err
		}
		named = true
		return keep.SyncPath(s.dir)
	})
	return id, err
}

// directory makes one for a snapshot, under a temporary name.
func (s *Snapshotter) directory(ctx context.Context, info snapshots.Info) (string, error) {
	dir, err := os.MkdirTemp(s.dir, keep.TempPrefix+"*")
	if err != nil {
		return "", err
	}
	keep.Step()
	// As containerd's own snapshotters have them. The directory above is root's alone; containers see this one.
	err = os.Mkdir(filepath.Join(dir, "fs"), 0o755)
	if err == nil {
		err = os.Chmod(filepath.Join(dir, "fs"), 0o755)
	}
	if err == nil && info.Kind == snapshots.KindActive {
		err = os.Mkdir(filepath.Join(dir, "work"), 0o711)
	}
	if err == nil {
		err = s.block(ctx, dir, info)
	}
	if err == nil {
		err = keep.SyncPath(dir)
	}
	if err != nil {
		os.RemoveAll(dir)
	}
	return dir, err
}
