package main

import (
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/config"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// limits are how much layers and images may cost.
func limits(c *config.Config) tarfs.Limits {
	l := c.Limits
	return tarfs.Limits{
		MaxEntries: c.Differ.MaxLayerEntries,

		MaxInodes:           l.MaxInodes,
		MaxImplied:          l.MaxImplied,
		MaxDepth:            l.MaxDepth,
		MaxPathBytes:        l.MaxPathBytes,
		MaxExtensionBytes:   l.MaxExtensionBytes,
		MaxXattrBytes:       l.MaxXattrBytes,
		MaxGlobalPathBytes:  l.MaxGlobalPathBytes,
		MaxGlobalXattrBytes: l.MaxGlobalXattrBytes,
		MaxSparseSegments:   l.MaxSparseSegments,
		MaxCarried:          l.MaxCarried,
		MaxTableBytes:       l.MaxTableBytes,
		MaxMetadataBytes:    l.MaxMetadataBytes,
	}
}
