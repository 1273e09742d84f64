package testkit

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	erofsmount "github.com/containerd/containerd/v2/plugins/mount/erofs"
)

// Handled is a snapshotter of which mounts of the type erofs are carried out by containerd's own handler, in its
// place a bind mount of what that mounted. containerd's mount manager does so by itself, as containerd gives it the
// handler; that of containerd's test suite has none, and mounts by mount(2), which knows no devices that are files.
type Handled struct {
	snapshots.Snapshotter
	t       testing.TB
	handler mount.Handler
	dir     string

	mu    sync.Mutex
	count int
	of    map[string][]string // mount points, by key
}

// NewHandled mounts below a directory.
func NewHandled(t testing.TB, sn snapshots.Snapshotter, dir string) *Handled {
	return &Handled{Snapshotter: sn, t: t, handler: erofsmount.NewErofsMountHandler(), dir: dir, of: map[string][]string{}}
}

// Prepare is the snapshotter's.
func (h *Handled) Prepare(ctx context.Context, key, parent string, opts ...snapshots.Opt) ([]mount.Mount, error) {
	mounts, err := h.Snapshotter.Prepare(ctx, key, parent, opts...)
	return h.handle(ctx, key, mounts, err)
}

// View is the snapshotter's.
func (h *Handled) View(ctx context.Context, key, parent string, opts ...snapshots.Opt) ([]mount.Mount, error) {
	mounts, err := h.Snapshotter.View(ctx, key, parent, opts...)
	return h.handle(ctx, key, mounts, err)
}

// Mounts is the snapshotter's.
func (h *Handled) Mounts(ctx context.Context, key string) ([]mount.Mount, error) {
	mounts, err := h.Snapshotter.Mounts(ctx, key)
	return h.handle(ctx, key, mounts, err)
}

// Commit is after the suite has unmounted.
func (h *Handled) Commit(ctx context.Context, name, key string, opts ...snapshots.Opt) error {
	h.unmount(ctx, key)
	return h.Snapshotter.Commit(ctx, name, key, opts...)
}

// Remove is after the suite has unmounted too.
func (h *Handled) Remove(ctx context.Context, key string) error {
	h.unmount(ctx, key)
	return h.Snapshotter.Remove(ctx, key)
}

func (h *Handled) handle(ctx context.Context, key string, mounts []mount.Mount, err error) ([]mount.Mount, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, m := range mounts {
		if m.Type != "erofs" {
			continue
		}
		h.count++
		at := filepath.Join(h.dir, strconv.Itoa(h.count))
		if _, err := h.handler.Mount(ctx, m, at, nil); err != nil {
			return nil, err
		}
		h.of[key] = append(h.of[key], at)
		mounts[i] = mount.Mount{Type: "bind", Source: at, Options: []string{"ro", "rbind"}}
	}
	return mounts, err
}

func (h *Handled) unmount(ctx context.Context, key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, at := range h.of[key] {
		if err := h.handler.Unmount(ctx, at); err != nil {
			h.t.Errorf("unmount of %q: %v", key, err)
		}
		os.Remove(at)
	}
	delete(h.of, key)
}

// UnmountAll ends what is mounted for snapshots that were not removed.
func (h *Handled) UnmountAll(ctx context.Context) {
	for key := range h.of {
		h.unmount(ctx, key)
	}
}
