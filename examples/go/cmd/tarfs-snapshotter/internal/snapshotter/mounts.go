package snapshotter

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
)

// Mounts are those of an active snapshot or a view, as Prepare and View gave them.
func (s *Snapshotter) Mounts(ctx context.Context, key string) ([]mount.Mount, error) {
	id, info, _, err := s.get(ctx, key)
	if err != nil {
		return nil, err
	}
	if info.Kind == snapshots.KindCommitted {
		return nil, fmt.Errorf("snapshot %q is committed: %w", key, errdefs.ErrFailedPrecondition)
	}
	below, image, err := s.image(ctx, info)
	if err != nil {
		return nil, err
	}
	defer image.Release() // the snapshot itself refers to its layers, by its parents
	if s.onDisk() || s.options.ExpectedRoots != "" || info.Labels[labelRoot] != "" {
		if image, _, err = s.exportedImage(ctx, info, below, image); err != nil {
			return nil, err
		}
	}
	s.using.RLock()
	defer s.using.RUnlock()
	return s.mounts(id, info, image)
}

// isBind says that a snapshot's mounts are a bind mount of its own directory.
func isBind(info snapshots.Info) bool {
	_, known := layerOf(info)
	return known || info.Parent == "" || info.Kind == snapshots.KindActive && isUnpack(info)
}

func (s *Snapshotter) mounts(id string, info snapshots.Info, image store.Image) ([]mount.Mount, error) {
	mapping := idMapping(info)
	if isBind(info) {
		mode := "rw"
		if _, known := layerOf(info); known || info.Kind == snapshots.KindView {
			mode = "ro"
		}
		return []mount.Mount{{Type: "bind", Source: s.upper(id), Options: append(mapping, mode, "rbind")}}, nil
	}
	if s.options.Plain {
		return s.plainMounts(id, info, image)
	}
	image, err := s.ownPath(id, image)
	if err != nil {
		return nil, err
	}
	erofs := s.imageMount(image)
	if info.Kind == snapshots.KindView {
		// Callers mount what the mount manager leaves to them. It carries out all that has a handler, so of a lone
		// erofs mount it would leave nothing, and they would have an empty directory.
		bind := mount.Mount{Type: "format/bind", Source: "{{ mount 0 }}", Options: append(mapping, "rbind")}
		if len(mapping) == 0 {
			// With it containerd would map no owners. What it binds can't be written to anyhow.
			bind.Options = append(bind.Options, "ro")
		}
		return []mount.Mount{erofs, bind}, nil
	}
	has, err := s.hasBlock(id)
	if err != nil {
		return nil, err
	}
	if has {
		options := append(mapping, "workdir={{ mount 0 }}/work", "upperdir={{ mount 0 }}/upper", "lowerdir={{ mount 1 }}")
		options = append(options, s.options.OverlayOptions...)
		return []mount.Mount{s.blockMount(id, "rw"), erofs, {Type: "format/overlay", Source: "overlay", Options: options}}, nil
	}
	options := append(mapping, "workdir="+s.path(id, "work"), "upperdir="+s.upper(id), "lowerdir={{ mount 0 }}")
	options = append(options, s.options.OverlayOptions...)
	return []mount.Mount{erofs, {Type: "format/overlay", Source: "overlay", Options: options}}, nil
}

// imageMount is how an image is mounted, by containerd's handler of the type erofs.
func (s *Snapshotter) imageMount(image store.Image) mount.Mount {
	erofs := mount.Mount{Type: "erofs", Source: image.Path, Options: []string{"ro", "loop"}}
	for _, device := range image.Devices {
		erofs.Options = append(erofs.Options, "device="+device)
	}
	if s.options.DMVerity {
		// The handler opens dm-verity by it, mounts that, and closes it when it unmounts.
		erofs.Options = append(erofs.Options, "X-containerd.dmverity="+image.Sidecar)
	}
	return erofs
}
