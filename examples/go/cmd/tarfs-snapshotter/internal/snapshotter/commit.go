package snapshotter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/continuity/fs"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/uppertar"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Commit makes an active snapshot one that others can stand on. What was written to it becomes a layer.
func (s *Snapshotter) Commit(ctx context.Context, name, key string, opts ...snapshots.Opt) error {
	committed, err := given(opts)
	if err != nil {
		return err
	}
	id, info, _, err := s.get(ctx, key)
	if err != nil {
		return fmt.Errorf("commit snapshot %q: %w", key, err)
	}
	layer, err := s.layer(ctx, id, info, committed.Parent)
	if err != nil {
		return fmt.Errorf("commit snapshot %q: %w", key, err)
	}
	defer layer.Release()
	usage, err := fs.DiskUsage(ctx, filepath.Dir(layer.Tar))
	if err != nil {
		return err
	}
	if err := s.layerDisk(ctx, committed, layer); err != nil {
		return fmt.Errorf("commit snapshot %q: %w", key, err)
	}
	committed.Labels[labelLayer] = layer.DiffID.String()
	keep.Step()
	err = s.meta.WithTransaction(ctx, true, func(ctx context.Context) error {
		now, current, _, err := storage.GetInfo(ctx, key)
		if err != nil {
			return err
		}
		before, _ := layerOf(info)
		if after, _ := layerOf(current); now != id || after != before {
			return fmt.Errorf("it was changed meanwhile: %w", errdefs.ErrFailedPrecondition)
		}
		_, err = storage.CommitActive(ctx, key, name, snapshots.Usage(usage), as(committed))
		return err
	})
	if err != nil {
		return fmt.Errorf("commit snapshot %q: %w", key, err)
	}
	keep.Step()
	if err := s.empty(id); err != nil {
		s.log.Warn("what was written to a committed snapshot was not removed", "snapshot", id, "cause", err)
	}
	return nil
}

// layer finds or makes the layer of an active snapshot.
func (s *Snapshotter) layer(ctx context.Context, id string, info snapshots.Info, parent string) (store.Layer, error) {
	if info.Kind != snapshots.KindActive {
		return store.Layer{}, fmt.Errorf("it is not active: %w", errdefs.ErrFailedPrecondition)
	}
	known, ok := layerOf(info)
	if !ok {
		return s.written(ctx, id, info, parent)
	}
	names, err := os.ReadDir(s.upper(id))
	if err != nil {
		return store.Layer{}, err
	}
	if len(names) > 0 {
		return store.Layer{}, fmt.Errorf("layer %s was applied, and %q written beside it: %w", known, names[0].Name(), errdefs.ErrFailedPrecondition)
	}
	return s.store.Get(known)
}

// written makes a layer of what was written to a snapshot.
func (s *Snapshotter) written(ctx context.Context, id string, info snapshots.Info, parent string) (store.Layer, error) {
	if isUnpack(info) && (info.Parent != "" || parent != "") {
		return store.Layer{}, fmt.Errorf("layer %s was unpacked by another differ, in a directory that shows no whiteouts; "+
			"the differ of tarfs-snapshotter is to come first in containerd's configuration: %w",
			info.Labels[snapshots.LabelSnapshotDiffID], errdefs.ErrFailedPrecondition)
	}
	if len(idMapping(info)) > 0 {
		return store.Layer{}, fmt.Errorf("its owners are mapped: %w", errdefs.ErrNotImplemented)
	}
	var layer store.Layer
	err := s.inUpper(ctx, id, func(upper string) (err error) {
		layer, err = s.ingest(ctx, upper)
		return err
	})
	if err != nil {
		layer.Release()
	}
	return layer, err
}

// ingest keeps what was written to a directory as a layer.
func (s *Snapshotter) ingest(ctx context.Context, upper string) (store.Layer, error) {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(uppertar.Write(ctx, w, upper, nil))
	}()
	layer, err := s.store.Ingest(ctx, "", r)
	r.CloseWithError(errors.New("the layer was not taken"))
	<-done
	return layer, err
}

// empty removes what was written to a snapshot, whose layer has it now. The directory stays, for its owner.
func (s *Snapshotter) empty(id string) error {
	err := errors.Join(os.RemoveAll(s.path(id, "work")), os.RemoveAll(s.path(id, blockFile)))
	names, failed := os.ReadDir(s.upper(id))
	for _, name := range names {
		failed = errors.Join(failed, os.RemoveAll(filepath.Join(s.upper(id), name.Name())))
	}
	return errors.Join(err, failed)
}
