package snapshotter_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/v2/contrib/snapshotservice"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/proxy"
	"github.com/containerd/containerd/v2/core/snapshots/testsuite"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
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
		h := newHandled(t, sn, filepath.Join(root, "..", "mounted"))
		return h, func() error {
			h.unmountAll(ctx)
			return closeAll()
		}, nil
	})
}

// TestSuiteSocket runs it through a socket, as containerd's proxy of a snapshotter does.
func TestSuiteSocket(t *testing.T) {
	testsuite.SnapshotterSuite(t, suiteName, func(ctx context.Context, root string) (snapshots.Snapshotter, func() error, error) {
		sn, closeAll, err := open(ctx, root, snapshotter.Options{})
		if err != nil {
			return nil, nil, err
		}
		listener, err := net.Listen("unix", filepath.Join(root, "socket"))
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		server := grpc.NewServer()
		snapshotsapi.RegisterSnapshotsServer(server, snapshotservice.FromSnapshotter(sn))
		go server.Serve(listener)
		client, err := grpc.NewClient("unix:"+listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		h := newHandled(t, proxy.NewSnapshotter(snapshotsapi.NewSnapshotsClient(client), "tarfs"), filepath.Join(root, "..", "mounted"))
		return h, func() error {
			h.unmountAll(ctx)
			err := client.Close()
			server.Stop()
			return errors.Join(err, closeAll())
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
