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
func upperOf(lower, upper []mount.Mount) (string, error) {
	if _, err := applier.SnapshotOf(upper); err != nil {
		return "", err
	}
	dir := changed(upper)
	if dir == "" {
		return "", fmt.Errorf("no upper directory of an EROFS snapshot: %w", errdefs.ErrNotImplemented)
	}
	if !slices.EqualFunc(layers(lower), layers(upper), same) {
		return "", fmt.Errorf("%s does not stand on what it is to be compared with: %w", dir, errdefs.ErrNotImplemented)
	}
	return dir, nil
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

// layers are those of a list of mounts, from the uppermost on.
func layers(mounts []mount.Mount) (all []mount.Mount) {
	for _, m := range mounts {
		if m.Type == "erofs" {
			all = append(all, m)
		}
	}
	return all
}

func same(a, b mount.Mount) bool {
	return a.Source == b.Source && slices.Equal(a.Options, b.Options)
}
