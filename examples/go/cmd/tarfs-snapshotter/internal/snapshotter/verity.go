package snapshotter

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	erofsmount "github.com/containerd/containerd/v2/plugins/mount/erofs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// With plain mounts nobody has a handler that opens dm-verity, so containerd's is called here.
var handler mount.Handler = erofsmount.NewErofsMountHandler()

// mapperPrefix begins the sources of mounts that go through dm-verity.
const mapperPrefix = "/dev/mapper/"

// isMountOf says whether a mount with this source shows an image, as it is to be mounted. One that goes through dm-verity
// where it need not is good.
func (s *Snapshotter) isMountOf(source string, image store.Image) bool {
	return keep.BackedBy(source, image.Path) && (strings.HasPrefix(source, mapperPrefix) || !s.options.DMVerity)
}

// ownPath is an image, to be opened through dm-verity by containerd, by a path of the snapshot's own: a link to the directory
// that its disk is in. containerd 2.3 names a device by the directory of its source, and of containers that start at the
// same time, with one name for all, each ends the other's device. Who mounts it finds the link there; nothing else needs it.
func (s *Snapshotter) ownPath(id string, image store.Image) (store.Image, error) {
	if !s.options.DMVerity {
		return image, nil
	}
	link, to := s.path(id, "tarfs-"+id), filepath.Dir(image.Path)
	if at, err := os.Readlink(link); err != nil || at != to {
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return image, err
		}
		// Another call for the same snapshot may have made it meanwhile.
		if err := os.Symlink(to, link); err != nil && !errors.Is(err, fs.ErrExist) {
			return image, err
		}
	}
	image.Path, image.Sidecar = filepath.Join(link, filepath.Base(image.Path)), filepath.Join(link, filepath.Base(image.Sidecar))
	return image, nil
}

// mountImage mounts an image on a directory. The contexts of callers are no matter: the handler only logs by it.
func (s *Snapshotter) mountImage(image store.Image, at string) error {
	if !s.options.DMVerity {
		return keep.MountFiles(image.Path, image.Devices, at)
	}
	// One that an earlier process left has the name that the new one gets, by disk and mount point. The handler would remove
	// it, and fail.
	if err := closeIdle(func(file string) bool { return file == image.Path }); err != nil {
		return err
	}
	_, err := handler.Mount(context.Background(), s.imageMount(image), at, nil)
	return err
}

// unmountImage ends what is mounted on a directory, removes the directory, and closes what was opened for the mount. It does
// not wait for who is on it, as containerd's handler would for seconds: callers have locks.
func (s *Snapshotter) unmountImage(at string) error {
	there, err := keep.MountsBelow(s.mountsDir)
	if err != nil {
		return err
	}
	if err := keep.UnmountTarget(at); err != nil {
		return err
	}
	for _, source := range there[at] {
		if name, ok := handlerDevice(source); ok {
			err = errors.Join(err, closeLooked(name))
		}
	}
	return err
}
