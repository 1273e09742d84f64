package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/containerd/containerd/v2/core/mount"

	"github.com/containerd/containerd/v2/core/content"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/applier"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/attached"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/config"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// openOwn opens the daemon's own snapshotter, and removes what a killed daemon left; nil if none is configured.
func openOwn(ctx context.Context, c *config.Config, log *slog.Logger, m *metrics.Metrics) (*applier.Own, error) {
	o := c.Snapshotter
	if o.Root == "" {
		return nil, nil
	}
	verity, err := dmVerity(&o, kernelVerity(), log)
	if err != nil {
		return nil, fmt.Errorf("snapshotter: %w", err)
	}
	layers, err := store.Open(o.Root, store.Options{
		Strict: c.Differ.Strict, Limits: limits(c), FollowLowerLinks: o.FollowLowerLinks,
		ScrubInterval: time.Duration(o.ScrubInterval), Metrics: m, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("snapshotter: %w", err)
	}
	opened, err := snapshotter.New(ctx, layers, snapshotter.Options{
		DefaultSize: o.DefaultSize, Plain: o.PlainMounts, ExportMode: tarfs.Mode(o.ExportMode), DMVerity: verity,
		ExpectedRoots: o.ExpectedRoots, OverlayOptions: o.OverlayOptions, Metrics: m, Log: log,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("snapshotter: %w", err), layers.Close())
	}
	return &applier.Own{Snapshotter: opened, Layers: layers}, nil
}

// findAttached has the layers of the daemon's own snapshotter looked for in what their images came with, if that is
// configured.
func findAttached(own *applier.Own, contents content.Store, c *config.Config, log *slog.Logger, m *metrics.Metrics) {
	a := c.Attached
	if a.Mode == "off" || own == nil {
		return
	}
	options := attached.Options{
		Content: contents, Layers: own.Layers, Require: a.Mode == "require", FollowLowerLinks: c.Snapshotter.FollowLowerLinks,
		Repositories: a.TrustedRepositories, MaxBytes: a.MaxFileBytes, Registries: a.Registries, HostsDir: a.HostsDir, Credentials: a.Credentials, Metrics: m, Log: log,
	}
	if path := c.Snapshotter.ExpectedRoots; path != "" {
		options.Expected = func(root string) (bool, error) { return snapshotter.IsExpected(path, root) }
	}
	own.Attached = attached.New(options)
}

// closeOwn closes it. Snapshots stay, and so do mounts of containers.
func closeOwn(own *applier.Own) error {
	if own == nil {
		return nil
	}
	return errors.Join(own.Snapshotter.Close(), own.Layers.Close())
}

// target finds the snapshots of the daemon's own snapshotter; nil without one.
func (s *services) target() func([]mount.Mount) (string, bool) {
	if s.own == nil {
		return nil
	}
	return s.own.Snapshotter.Target
}
