package tarfs

// #include <tarfs.h>
import "C"

// LayerInfo is what was met in a tar.
type LayerInfo struct {
	// Entries is how many it has.
	Entries uint64
	// Bytes is its length, everything behind its end marker too.
	Bytes uint64
	// Trailing is how many bytes are behind the end marker.
	Trailing uint64
	// EndBlocks is how many zero blocks end it: 2 as POSIX has it, or 1, or 0.
	EndBlocks int
	// HasDiffID says that the options asked for DiffID.
	HasDiffID bool
	// DiffID is the SHA-256 of all bytes.
	DiffID [32]byte
	// SkippedUnknown is how many entries of unknown type were passed over.
	SkippedUnknown uint64
	// SkippedLabels is how many volume labels were passed over.
	SkippedLabels uint64
	// SizesIgnored is how many entries without a body state a size all the same.
	SizesIgnored uint64
	// DroppedXattrs is how many extended attributes were dropped.
	DroppedXattrs uint64
	// DroppedACLs is how many access control lists were dropped, since they name users or groups
	// without their numbers.
	DroppedACLs uint64
	// UnsetOwners is how many entries have the owner or group 4294967295, which became 0.
	UnsetOwners uint64
}

func newLayerInfo(info *C.tarfs_layer_info) LayerInfo {
	return LayerInfo{
		Entries:        uint64(info.entries),
		Bytes:          uint64(info.bytes),
		Trailing:       uint64(info.trailing),
		EndBlocks:      int(info.end_blocks),
		HasDiffID:      info.has_diff_id != 0,
		DiffID:         bytes32(info.diff_id),
		SkippedUnknown: uint64(info.skipped_unknown),
		SkippedLabels:  uint64(info.skipped_labels),
		SizesIgnored:   uint64(info.sizes_ignored),
		DroppedXattrs:  uint64(info.dropped_xattrs),
		DroppedACLs:    uint64(info.dropped_acls),
		UnsetOwners:    uint64(info.unset_owners),
	}
}
