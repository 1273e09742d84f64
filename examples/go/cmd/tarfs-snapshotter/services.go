package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"

	diffapi "github.com/containerd/containerd/api/services/diff/v1"
	leasesapi "github.com/containerd/containerd/api/services/leases/v1"
	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/v2/contrib/diffservice"
	"github.com/containerd/containerd/v2/contrib/snapshotservice"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/containerd/v2/core/diff"
	leasesproxy "github.com/containerd/containerd/v2/core/leases/proxy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/applier"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/comparer"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/config"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
)

// services is what is served, by the configuration.
type services struct {
	metrics  *metrics.Metrics
	applier  diff.Applier
	comparer diff.Comparer
	// The daemon's own snapshotter; nil without one.
	own *applier.Own
	// To containerd; nil without its address.
	containerd *grpc.ClientConn
}

func newServices(ctx context.Context, c *config.Config, log *slog.Logger) (_ *services, err error) {
	s := &services{metrics: metrics.New()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.own, err = openOwn(ctx, c, log, s.metrics); err != nil {
		return nil, err
	}
	var store content.Store
	if c.Differ.ContainerdAddress != "" {
		// Nobody is called yet: containerd may start after this process.
		connection, err := grpc.NewClient("unix:"+c.Differ.ContainerdAddress,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithUnaryInterceptor(handOnUnary), grpc.WithStreamInterceptor(handOnStream))
		if err != nil {
			return nil, err
		}
		s.containerd, store = connection, proxy.NewContentStore(connection)
		findAttached(s.own, store, c, log, s.metrics)
		s.comparer = comparer.New(comparer.Options{
			Content: store,
			Leases:  leasesproxy.NewLeaseManager(leasesapi.NewLeasesClient(connection)),
			Own:     s.target(),
			Metrics: s.metrics,
			Log:     log,
		})
	}
	program, err := gunzip(c.Differ.Gunzip)
	if err != nil {
		return nil, err
	}
	options := applier.Options{
		ContentRoot:   c.Differ.ContentRoot,
		Concurrent:    c.Differ.ConcurrentLayers,
		BlockSize:     c.Differ.BlockSize,
		Gunzip:        program,
		MaxLayerBytes: c.Differ.MaxLayerBytes,

		Limits:  limits(c),
		Strict:  c.Differ.Strict,
		Own:     s.own,
		Log:     log,
		Metrics: s.metrics,
	}
	if c.Verity.Layers != "off" {
		options.Verity = c.Verity.Layers
		sayVerity(kernelVerity(), log)
	}
	if store != nil {
		options.Content = store
	}
	s.applier, err = applier.New(options)
	return s, err
}

// gunzip is the program that undoes gzip: the fastest that is there, or what is asked for. For a layer of 270 MB
// igzip takes half of the time of Go's library, and unpigz three quarters, as they use a core of their own.
func gunzip(asked string) (string, error) {
	switch asked {
	case "auto":
		for _, name := range []string{"igzip", "unpigz"} {
			if path, err := exec.LookPath(name); err == nil {
				return path, nil
			}
		}
		return "", nil
	case "go":
		return "", nil
	}
	path, err := exec.LookPath(asked)
	if err != nil {
		return "", fmt.Errorf("differ.gunzip: %w", err)
	}
	return path, nil
}

func (s *services) register(server *grpc.Server) {
	diffapi.RegisterDiffServer(server, diffservice.FromApplierAndComparer(s.applier, s.comparer))
	if s.own != nil {
		snapshotsapi.RegisterSnapshotsServer(server, snapshotservice.FromSnapshotter(s.own.Snapshotter))
	}
}

// close ends what is open, when no call is at work any more.
func (s *services) close() (err error) {
	if s.containerd != nil {
		err = s.containerd.Close()
	}
	return errors.Join(err, closeOwn(s.own))
}
