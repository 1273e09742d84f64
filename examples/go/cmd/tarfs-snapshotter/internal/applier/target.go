package applier

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"
)

// marker is the file by which containerd's EROFS snapshotter says that a snapshot's directory takes a layer.
const marker = ".erofslayer"

// SnapshotOf is the directory of the snapshot of containerd's EROFS snapshotter that mounts are of: of an active
// one, whose writable directory is a bind mount or overlayfs's upper directory, or lies in an image with a
// filesystem. Mounts of others are errdefs.ErrNotImplemented.
func SnapshotOf(mounts []mount.Mount) (string, error) {
	at := ""
	if len(mounts) > 0 {
		at = writable(mounts)
	}
	if at == "" || !filepath.IsAbs(at) {
		return "", fmt.Errorf("mounts are not of an EROFS snapshot: %w", errdefs.ErrNotImplemented)
	}
	dir := filepath.Dir(filepath.Clean(at))
	stat, err := os.Lstat(filepath.Join(dir, marker))
	if err != nil || !stat.Mode().IsRegular() {
		return "", fmt.Errorf("%s: not a snapshot of containerd's EROFS snapshotter: %w", dir, errdefs.ErrNotImplemented)
	}
	return dir, nil
}

// writable is what of the mounts lies in the snapshot's own directory.
func writable(mounts []mount.Mount) string {
	// With default_size the writable part is a filesystem in a file, and all else lies in that.
	if strings.HasPrefix(mounts[0].Type, "mkfs/") {
		return mounts[0].Source
	}
	last := mounts[len(mounts)-1]
	// What is in front, as in "format/mkdir/overlay", is for containerd's mount manager.
	switch last.Type[strings.LastIndex(last.Type, "/")+1:] {
	case "bind", "erofs":
		return last.Source
	case "overlay":
		for _, option := range last.Options {
			if upper, ok := strings.CutPrefix(option, "upperdir="); ok {
				return upper
			}
		}
		// It has none when it is read-only: the uppermost layer is the snapshot's own, then.
		return mounts[0].Source
	}
	return ""
}

// snapshotOf is SnapshotOf for one that is to be written.
func snapshotOf(mounts []mount.Mount) (string, error) {
	dir, err := SnapshotOf(mounts)
	if err != nil {
		return "", err
	}
	if mounts[len(mounts)-1].ReadOnly() {
		// No other differ could do better, so it is not asked.
		return "", fmt.Errorf("%s: the snapshot is read-only, its layer is there already: %w", dir, errdefs.ErrFailedPrecondition)
	}
	return dir, nil
}
