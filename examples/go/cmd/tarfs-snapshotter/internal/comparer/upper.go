package comparer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/applier"
)

// upperOf is the directory of a snapshot's changes, if it stands on lower.
func (c *Comparer) upperOf(lower, upper []mount.Mount) (string, error) {
	if !c.isOwn(upper) {
		if _, err := applier.SnapshotOf(upper); err != nil {
			return "", err
		}
	}
	dir := changed(upper)
	if dir == "" {
		return "", fmt.Errorf("no upper directory of an EROFS snapshot: %w", errdefs.ErrNotImplemented)
	}
	if mapped(upper) {
		return "", fmt.Errorf("tarfs-snapshotter: changes in %s: the owners are mapped, and a layer would have those of the host: %w",
			dir, errdefs.ErrFailedPrecondition)
	}
	if !slices.EqualFunc(layers(lower), layers(upper), same) {
		return "", fmt.Errorf("%s does not stand on what it is to be compared with: %w", dir, errdefs.ErrNotImplemented)
	}
	return dir, nil
}

// isOwn says whether mounts are of a snapshot of this process.
func (c *Comparer) isOwn(mounts []mount.Mount) bool {
	if c.opts.Own == nil {
		return false
	}
	_, ok := c.opts.Own(mounts)
	return ok
}

// mapped says whether the owners that a container sees are others than those on the disk.
func mapped(mounts []mount.Mount) bool {
	return slices.ContainsFunc(mounts[len(mounts)-1].Options, func(option string) bool {
		return strings.HasPrefix(option, "uidmap=") || strings.HasPrefix(option, "gidmap=")
	})
}

// changed is the directory that a container writes to: overlayfs's, or if it stands on no layers, the one that is
// bound.
func changed(mounts []mount.Mount) string {
	last := mounts[len(mounts)-1]
	if last.Type == "bind" && len(mounts) == 1 && !last.ReadOnly() {
		return last.Source
	}
	if last.Type[strings.LastIndex(last.Type, "/")+1:] != "overlay" {
		return ""
	}
	for _, option := range last.Options {
		// One that lies in another mount has braces.
		if dir, ok := strings.CutPrefix(option, "upperdir="); ok && strings.HasPrefix(dir, "/") {
			return dir
		}
	}
	return ""
}

// layers are those of a list of mounts, from the uppermost on. An image that the snapshotter has mounted itself, with
// plain mounts, is bound in a view, and below the overlayfs of a container.
func layers(mounts []mount.Mount) (all []mount.Mount) {
	for _, m := range mounts {
		switch m.Type {
		case "erofs":
			all = append(all, m)
		case "bind":
			if m.ReadOnly() {
				all = append(all, mount.Mount{Source: m.Source})
			}
		case "overlay":
			for _, option := range m.Options {
				if dir, ok := strings.CutPrefix(option, "lowerdir="); ok {
					all = append(all, mount.Mount{Source: dir})
				}
			}
		}
	}
	return all
}

func same(a, b mount.Mount) bool {
	return a.Source == b.Source && slices.Equal(a.Options, b.Options)
}
