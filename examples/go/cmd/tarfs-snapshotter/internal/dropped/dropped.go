// Package dropped says what a layer does not have as its tar has it.
package dropped

import (
	"log/slog"

	"github.com/opencontainers/go-digest"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// Report logs and counts it.
func Report(log *slog.Logger, m *metrics.Metrics, layer digest.Digest, info tarfs.LayerInfo) {
	for _, row := range []struct {
		count      uint64
		kind, what string
	}{
		{info.DroppedXattrs, "xattr", "extended attributes of namespaces that EROFS has not were dropped"},
		{info.DroppedACLs, "acl", "access control lists without numbers were dropped"},
		{info.UnsetOwners, "owner", "entries with owner 4294967295 got owner 0"},
	} {
		if row.count > 0 {
			log.Warn(row.what, "layer", layer, "count", row.count)
			m.Dropped(row.kind, row.count)
		}
	}
}
