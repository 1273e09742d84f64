package snapshotter

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"golang.org/x/sys/unix"
)

// plainMounts are a snapshot's for callers that know no more than mount(2): the snapshotter mounts the image itself, once
// for all that stand on it, and hands out a bind mount of that, or an overlayfs over it. Owners are mapped by the caller,
// where it can.
func (s *Snapshotter) plainMounts(id string, info snapshots.Info, image store.Image) ([]mount.Mount, error) {
	at, err := s.attach(image)
	if err != nil {
		return nil, err
	}
	mapping := idMapping(info)
	if info.Kind == snapshots.KindView {
		options := append(mapping, "rbind")
		if len(mapping) == 0 {
			options = append(options, "ro")
		}
		return []mount.Mount{{Type: "bind", Source: at, Options: options}}, nil
	}
	options := append(mapping, "workdir="+s.path(id, "work"), "upperdir="+s.upper(id), "lowerdir="+at)
	options = append(options, s.options.OverlayOptions...)
	return []mount.Mount{{Type: "overlay", Source: "overlay", Options: options}}, nil
}

// mountPoint is where an image is mounted.
func (s *Snapshotter) mountPoint(image string) string { return filepath.Join(s.mountsDir, image) }

// attach mounts an image, unless it is mounted: by an earlier call, or by a process that was killed since.
func (s *Snapshotter) attach(image store.Image) (string, error) {
	s.attaching.Lock()
	defer s.attaching.Unlock()
	at := s.mountPoint(image.Key())
	there, err := keep.MountsBelow(s.mountsDir)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(there[at], func(source string) bool { return s.isMountOf(source, image) }) {
		return at, nil
	}
	// Something else is no business of ours any more: an image that was made anew, for one.
	if err := s.unmountImage(at); err != nil {
		return "", err
	}
	if err := os.MkdirAll(at, 0o700); err != nil {
		return "", err
	}
	keep.Step()
	defer keep.Step()
	return at, s.mountImage(image, at)
}

// detachUnused unmounts images on which no snapshot stands any more. What is in use by a caller stays mounted until the
// next time.
func (s *Snapshotter) detachUnused(ctx context.Context) error {
	// Without plain mounts there are none, and nobody waits for anybody. One that comes now is not looked at.
	entries, err := os.ReadDir(s.mountsDir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	s.using.Lock()
	defer s.using.Unlock()
	used, err := s.imagesInUse(ctx)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if used[entry.Name()] {
			continue
		}
		failed := s.unmountImage(s.mountPoint(entry.Name()))
		if errors.Is(failed, unix.EBUSY) {
			s.log.Info("an image that no snapshot stands on is still in use", "cause", failed)
			continue
		}
		err = errors.Join(err, failed)
	}
	return err
}

// imagesInUse are the keys of the images that active snapshots and views stand on.
func (s *Snapshotter) imagesInUse(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	err := s.meta.WithTransaction(ctx, false, func(ctx context.Context) error {
		return storage.WalkInfo(ctx, func(ctx context.Context, info snapshots.Info) error {
			if info.Kind == snapshots.KindCommitted || isBind(info) {
				return nil
			}
			below, err := chain(ctx, info.Parent)
			if err != nil {
				return err
			}
			key, err := s.store.ImageKey(below)
			// Whichever way it is mounted: the export mode may have been another one.
			used[key], used[store.DiskKey(key)] = true, true
			return err
		})
	})
	if errdefs.IsNotFound(err) {
		err = nil // there never was a snapshot
	}
	return used, err
}
