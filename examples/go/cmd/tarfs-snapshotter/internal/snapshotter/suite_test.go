package snapshotter_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/testsuite"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// suiteName makes containerd's suite leave out one thing, as it does for its own snapshotters with overlayfs: the
// renaming of a directory of a lower layer, which overlayfs refuses (EXDEV) without redirect_dir. All else is run.
const suiteName = "erofs"

// TestSuite runs containerd's suite in this process.
func TestSuite(t *testing.T) { suite(t, snapshotter.Options{}) }

// TestSuiteBlock runs it with filesystems of containers' own, as containerd runs that of its EROFS snapshotter too.
func TestSuiteBlock(t *testing.T) { suite(t, snapshotter.Options{DefaultSize: 16 << 20}) }

// TestSuitePlain runs it as it is: no mount is carried out by anything but the suite itself.
func TestSuitePlain(t *testing.T) {
	testsuite.SnapshotterSuite(t, suiteName, func(ctx context.Context, root string) (snapshots.Snapshotter, func() error, error) {
		sn, closeAll, err := open(ctx, root, snapshotter.Options{Plain: true})
		if err != nil {
			return nil, nil, err
		}
		return sn, func() error { return errors.Join(closeAll(), mount.UnmountRecursive(filepath.Join(root, "mounts"), 0)) }, nil
	})
}

func suite(t *testing.T, options snapshotter.Options) {
	testsuite.SnapshotterSuite(t, suiteName, func(ctx context.Context, root string) (snapshots.Snapshotter, func() error, error) {
		sn, closeAll, err := open(ctx, root, options)
		if err != nil {
			return nil, nil, err
		}
		h := testkit.NewHandled(t, sn, filepath.Join(root, "..", "mounted"))
		return h, func() error {
			h.UnmountAll(ctx)
			return closeAll()
		}, nil
	})
}

// open makes a snapshotter with a store of its own.
func open(ctx context.Context, root string, options snapshotter.Options) (*snapshotter.Snapshotter, func() error, error) {
	layers, err := store.Open(root, store.Options{})
	if err != nil {
		return nil, nil, err
	}
	sn, err := snapshotter.New(ctx, layers, options)
	if err != nil {
		return nil, nil, errors.Join(err, layers.Close())
	}
	return sn, func() error { return errors.Join(sn.Close(), layers.Close()) }, nil
}
