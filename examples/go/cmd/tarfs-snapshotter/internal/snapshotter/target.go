package snapshotter

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/opencontainers/go-digest"
)

// Target says to which snapshot mounts belong, as Prepare and Mounts gave them, so that a differ knows whether a layer
// is to be put there. The answer is for Known and Applied.
func (s *Snapshotter) Target(mounts []mount.Mount) (id string, ok bool) {
	if len(mounts) == 0 {
		return "", false
	}
	last := mounts[len(mounts)-1]
	if mounts[0].Type == "ext4" {
		return s.ours(mounts[0].Source, blockFile)
	}
	upper := ""
	switch last.Type[strings.LastIndex(last.Type, "/")+1:] {
	case "bind":
		upper = last.Source
	case "overlay":
		for _, option := range last.Options {
			if dir, found := strings.CutPrefix(option, "upperdir="); found {
				upper = dir
			}
		}
	}
	return s.ours(upper, "fs")
}

// Path is the directory of the snapshot that Target found.
func (s *Snapshotter) Path(id string) string { return s.path(id) }

// ours finds the snapshot in whose directory something lies.
func (s *Snapshotter) ours(path, name string) (id string, ok bool) {
	id = filepath.Base(filepath.Dir(path))
	return id, path == s.path(id, name) && id != "" && strings.Trim(id, "0123456789") == ""
}

// Known finds the layer that an active snapshot is of already, and holds it. containerd before 2.4 does not see by
// mounts that there is nothing to apply: it fetches the layer and calls its differ, which needs not read it again.
func (s *Snapshotter) Known(ctx context.Context, id string) (layer store.Layer, known bool, err error) {
	err = s.meta.WithTransaction(ctx, false, func(ctx context.Context) error {
		_, info, err := active(ctx, id)
		if err == nil {
			layer.DiffID, known = layerOf(info)
		}
		return err
	})
	if err != nil || !known {
		return store.Layer{}, false, err
	}
	layer, err = s.store.Get(layer.DiffID)
	if errdefs.IsNotFound(err) {
		return store.Layer{}, false, nil // it was damaged, and is to be made again
	}
	return layer, err == nil, err
}

// Chain is the chain ID of the layers up to the one that an active snapshot is made to unpack; empty for another snapshot.
func (s *Snapshotter) Chain(ctx context.Context, id string) (chain digest.Digest, err error) {
	err = s.meta.WithTransaction(ctx, false, func(ctx context.Context) error {
		_, info, err := active(ctx, id)
		chain = digest.Digest(info.Labels[snapshots.LabelSnapshotRef])
		return err
	})
	return chain, err
}

// active finds an active snapshot, in a transaction.
func active(ctx context.Context, id string) (key string, info snapshots.Info, err error) {
	keys, err := storage.IDMap(ctx)
	if err != nil {
		return "", info, err
	}
	key, ok := keys[id]
	if !ok {
		return "", info, fmt.Errorf("snapshot %s is gone: %w", id, errdefs.ErrNotFound)
	}
	if _, info, _, err = storage.GetInfo(ctx, key); err != nil {
		return "", info, err
	}
	if info.Kind != snapshots.KindActive {
		return "", info, fmt.Errorf("snapshot %q is not active: %w", key, errdefs.ErrFailedPrecondition)
	}
	return key, info, nil
}

// Applied says that a layer is what an active snapshot is of. Once it returns, the snapshot refers to the layer, which
// may be released.
func (s *Snapshotter) Applied(ctx context.Context, id string, layer store.Layer) error {
	return s.meta.WithTransaction(ctx, true, func(ctx context.Context) error {
		key, info, err := active(ctx, id)
		if err != nil {
			return fmt.Errorf("layer %s: %w", layer.DiffID, err)
		}
		want := info.Labels[snapshots.LabelSnapshotDiffID]
		if before, applied := layerOf(info); applied {
			want = before.String()
		}
		if want != "" && want != layer.DiffID.String() {
			return fmt.Errorf("layer %s: snapshot %q is of layer %s: %w", layer.DiffID, key, want, errdefs.ErrFailedPrecondition)
		}
		info.Labels = map[string]string{labelLayer: layer.DiffID.String()}
		_, err = storage.UpdateInfo(ctx, info, "labels."+labelLayer)
		return err
	})
}
