package snapshotter

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"
)

// owner is a user and a group of the host.
type owner struct{ uid, gid int }

// mapped are the lists by which labels of a snapshot ask for its owners to be mapped. What is made to unpack a layer is
// never mapped: containerd before 2.3.7 takes its labels from the manifest, so whoever made the image wrote them, and
// all images that begin with the same layers stand on it.
func mapped(info snapshots.Info) (uids, gids string) {
	if isUnpack(info) {
		return "", ""
	}
	return info.Labels[snapshots.LabelSnapshotUIDMapping], info.Labels[snapshots.LabelSnapshotGIDMapping]
}

// idMapping are the mount options by which containerd maps owners.
func idMapping(info snapshots.Info) []string {
	uids, gids := mapped(info)
	if uids == "" && gids == "" {
		return nil
	}
	return []string{"uidmap=" + uids, "gidmap=" + gids}
}

// rootOwner is what a container's root is on the host; nil without a mapping.
func rootOwner(info snapshots.Info) (*owner, error) {
	uids, gids := mapped(info)
	if uids == "" && gids == "" {
		return nil, nil
	}
	uid, err := hostRoot(uids)
	if err != nil {
		return nil, fmt.Errorf("label %s: %w", snapshots.LabelSnapshotUIDMapping, err)
	}
	gid, err := hostRoot(gids)
	if err != nil {
		return nil, fmt.Errorf("label %s: %w", snapshots.LabelSnapshotGIDMapping, err)
	}
	return &owner{uid, gid}, nil
}

// hostRoot finds what 0 is mapped to by a list like "0:100000:65536,…": of the container, of the host, how many.
func hostRoot(mapping string) (int, error) {
	for one := range strings.SplitSeq(mapping, ",") {
		var numbers [3]uint32
		parts := strings.Split(one, ":")
		for i := range numbers {
			number, err := strconv.ParseUint(at(parts, i), 10, 32)
			if err != nil || len(parts) != len(numbers) {
				return 0, fmt.Errorf("%q is not CONTAINER:HOST:SIZE: %w", one, errdefs.ErrInvalidArgument)
			}
			numbers[i] = uint32(number)
		}
		if numbers[0] == 0 && numbers[2] > 0 {
			return int(numbers[1]), nil
		}
	}
	return 0, fmt.Errorf("%q does not map 0: %w", mapping, errdefs.ErrInvalidArgument)
}

func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// own gives the root of what is written to a snapshot its owner: the container's root where owners are mapped, else
// that of the parent.
func (s *Snapshotter) own(dir string, info snapshots.Info, parents []string) error {
	root, err := rootOwner(info)
	if err != nil {
		return err
	}
	if root == nil && len(parents) > 0 {
		var stat unix.Stat_t
		if err := unix.Stat(s.upper(parents[0]), &stat); err != nil {
			return &os.PathError{Op: "stat", Path: s.upper(parents[0]), Err: err}
		}
		root = &owner{int(stat.Uid), int(stat.Gid)}
	}
	if root == nil {
		return nil
	}
	return os.Lchown(dir, root.uid, root.gid)
}
