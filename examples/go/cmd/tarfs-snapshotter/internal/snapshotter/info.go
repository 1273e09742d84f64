package snapshotter

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/continuity/fs"
	"github.com/containerd/errdefs"
)

// Stat says what a snapshot is.
func (s *Snapshotter) Stat(ctx context.Context, key string) (snapshots.Info, error) {
	_, info, _, err := s.get(ctx, key)
	return hide(info), err
}

// get reads a snapshot's metadata, with private labels.
func (s *Snapshotter) get(ctx context.Context, key string) (id string, info snapshots.Info, usage snapshots.Usage, err error) {
	err = s.meta.WithTransaction(ctx, false, func(ctx context.Context) error {
		id, info, usage, err = storage.GetInfo(ctx, key)
		return err
	})
	return id, info, usage, err
}

// Update changes labels.
func (s *Snapshotter) Update(ctx context.Context, info snapshots.Info, fieldpaths ...string) (updated snapshots.Info, err error) {
	for _, path := range fieldpaths {
		name, _ := strings.CutPrefix(path, "labels.")
		if strings.HasPrefix(name, privatePrefix) || slices.Contains(exported, name) {
			return updated, fmt.Errorf("label %s is the snapshotter's own: %w", path, errdefs.ErrInvalidArgument)
		}
	}
	err = s.meta.WithTransaction(ctx, true, func(ctx context.Context) error {
		_, current, _, err := storage.GetInfo(ctx, info.Name)
		if err != nil {
			return err
		}
		info := hide(info)
		if len(fieldpaths) == 0 || slices.Contains(fieldpaths, "labels") {
			labels := maps.Clone(info.Labels)
			if labels == nil {
				labels = map[string]string{}
			}
			// All labels are replaced, but for the snapshotter's own, whatever the caller says of them.
			maps.DeleteFunc(labels, func(name, _ string) bool { return slices.Contains(exported, name) })
			maps.Copy(labels, own(current.Labels))
			info.Labels = labels
		}
		updated, err = storage.UpdateInfo(ctx, info, fieldpaths...)
		return err
	})
	return hide(updated), err
}

// Walk shows all snapshots that match one of the filters, as they are at one moment. No transaction is open while they
// are shown: a caller that is slow, or asks more, would keep those from going on who write.
func (s *Snapshotter) Walk(ctx context.Context, fn snapshots.WalkFunc, filters ...string) error {
	var all []snapshots.Info
	err := s.meta.WithTransaction(ctx, false, func(ctx context.Context) error {
		return storage.WalkInfo(ctx, func(_ context.Context, info snapshots.Info) error {
			all = append(all, hide(info))
			return nil
		}, filters...)
	})
	for i := 0; i < len(all) && err == nil; i++ {
		err = fn(ctx, all[i])
	}
	return err
}

// Usage is, of an active snapshot, what was written to it so far; of a committed one, what its layer takes, whoever
// else has it too.
func (s *Snapshotter) Usage(ctx context.Context, key string) (snapshots.Usage, error) {
	id, info, usage, err := s.get(ctx, key)
	if err != nil || info.Kind != snapshots.KindActive {
		return usage, err
	}
	paths := []string{s.upper(id)}
	if has, err := s.hasBlock(id); err != nil {
		return usage, err
	} else if has {
		paths = append(paths, s.path(id, blockFile))
	}
	written, err := fs.DiskUsage(ctx, paths...)
	return snapshots.Usage(written), err
}
