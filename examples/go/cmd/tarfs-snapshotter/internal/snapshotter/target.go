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
)

// Target says to which active snapshot mounts belong, as Prepare and Mounts gave them, so that a differ knows whether a
// layer is to be put there. The answer is for Applied.
func (s *Snapshotter) Target(mounts []mount.Mount) (id string, ok bool) {
	if len(mounts) == 0 {
		return "", false
	}
	last := mounts[len(mounts)-1]
	if last.ReadOnly() {
		return "", false
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
	id = filepath.Base(filepath.Dir(upper))
	return id, upper == s.upper(id) && strings.Trim(id, "0123456789") == ""
}

// Applied says that a layer is what an active snapshot is of. Once it returns, the snapshot refers to the layer, which
// may be released.
func (s *Snapshotter) Applied(ctx context.Context, id string, layer store.Layer) error {
	return s.meta.WithTransaction(ctx, true, func(ctx context.Context) error {
		keys, err := storage.IDMap(ctx)
		if err != nil {
			return err
		}
		key, ok := keys[id]
		if !ok {
			return fmt.Errorf("layer %s: snapshot %s is gone: %w", layer.DiffID, id, errdefs.ErrNotFound)
		}
		_, info, _, err := storage.GetInfo(ctx, key)
		if err != nil {
			return err
		}
		if info.Kind != snapshots.KindActive {
			return fmt.Errorf("layer %s: snapshot %q is not active: %w", layer.DiffID, key, errdefs.ErrFailedPrecondition)
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
