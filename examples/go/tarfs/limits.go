package tarfs

// #include <tarfs.h>
import "C"

// Limits are how much an input may cost: memory, time, room on a disk. Whoever wrote a layer chose its bytes, and few
// of them can ask for much; the defaults are for layers of strangers. Zero is the default, [math.MaxUint64] no limit.
// What is as much as a limit is taken; what is one more is an error of its stage, which has the limit's name in C, its
// value, and how much there is: "3 entries are over the limit max_entries of 2".
type Limits struct {
	// MaxBytes is the most bytes of a tar, uncompressed, all that follows its end counted; no limit by default. Stops
	// a tar that fills the disk it is written to, or never ends.
	MaxBytes uint64
	// MaxRatio is how many times as long as the compressed bytes that were read a stream may be, from 256 MiB on; 200
	// by default. Stops the same, where nobody knows a length.
	MaxRatio uint64
	// MaxEntries is the most entries of a tar; no limit by default. Stops a tar of headers alone: 150 bytes of memory
	// each.
	MaxEntries uint64
	// MaxInodes is the most inodes of a layer, and of layers that are merged, the root counted; 16,777,216 by default.
	// Stops layers that each are within bounds, and are gigabytes of memory together.
	MaxInodes uint64
	// MaxImplied is the most directories that no entry is about but which paths imply, beyond 4 for each entry; 65,536
	// by default. Stops tars of few deep paths, each of whose directories is an inode.
	MaxImplied uint64
	// MaxDepth is the most names in a path, of an entry and of what is merged; 4,096 by default. Stops trees on which
	// whoever goes down by recursion, or to each directory by its path, spends stack and time.
	MaxDepth uint64
	// MaxPathBytes is the most bytes of a path, and of a link's target; 65,536 by default. Stops long names, which are
	// kept.
	MaxPathBytes uint64
	// MaxNameBytes is the most bytes of one name in a path; 255 by default, and more count for nothing. Stops names
	// that what comes later can't handle.
	MaxNameBytes uint64
	// MaxExtensionBytes is the most bytes of pax records and long names of one entry; 1 MiB by default. Stops headers
	// that are held until their entry comes.
	MaxExtensionBytes uint64
	// MaxXattrBytes is the most bytes of extended attributes of one entry; 1 MiB by default. Stops attributes, which
	// are kept.
	MaxXattrBytes uint64
	// MaxGlobalPathBytes is the most bytes of a path, and of a link's target, that a global pax header gives to all
	// entries; 1,024 by default. Stops a path that is said once, and counts for each entry.
	MaxGlobalPathBytes uint64
	// MaxGlobalXattrBytes is the most bytes of extended attributes that global pax headers give to all entries, with
	// 16 for each; 1,024 by default. Stops attributes that are said once, and stand at each inode.
	MaxGlobalXattrBytes uint64
	// MaxSparseSegments is the most runs in the map of a sparse file; 1,048,576 by default. Stops maps, of 16 bytes of
	// memory a run.
	MaxSparseSegments uint64
	// MaxCarried is the most bytes that a layer carries itself: attributes, link targets, odd pieces of sparse files;
	// 1 GiB by default. Stops maps of runs of one byte, each of which is carried as a block.
	MaxCarried uint64
	// MaxTableBytes is the most bytes of the chunk tables of an image's sparse files, beyond an eighth of the bytes of
	// all devices; 64 MiB by default. Stops holes: a header may say that a file is 8 EiB long.
	MaxTableBytes uint64
	// MaxMetadataBytes is the most bytes of an image's metadata; 4 GiB by default. Stops an image that fills the disk,
	// whatever its layers did to be within each of the others.
	MaxMetadataBytes uint64
	// MaxJSONBytes is the most bytes of a document of JSON; 4 MiB by default. The package snapshot and programs read
	// some.
	MaxJSONBytes uint64
}

// c is the limits for C; NULL if none is set.
func (l *Limits) c(call *call) *C.tarfs_limits {
	if *l == (Limits{}) {
		return nil
	}
	given := &C.tarfs_limits{
		size: C.sizeof_tarfs_limits,

		max_bytes:              C.uint64_t(l.MaxBytes),
		max_ratio:              C.uint64_t(l.MaxRatio),
		max_entries:            C.uint64_t(l.MaxEntries),
		max_inodes:             C.uint64_t(l.MaxInodes),
		max_implied:            C.uint64_t(l.MaxImplied),
		max_depth:              C.uint64_t(l.MaxDepth),
		max_path_bytes:         C.uint64_t(l.MaxPathBytes),
		max_name_bytes:         C.uint64_t(l.MaxNameBytes),
		max_extension_bytes:    C.uint64_t(l.MaxExtensionBytes),
		max_xattr_bytes:        C.uint64_t(l.MaxXattrBytes),
		max_global_path_bytes:  C.uint64_t(l.MaxGlobalPathBytes),
		max_global_xattr_bytes: C.uint64_t(l.MaxGlobalXattrBytes),
		max_sparse_segments:    C.uint64_t(l.MaxSparseSegments),
		max_carried:            C.uint64_t(l.MaxCarried),
		max_table_bytes:        C.uint64_t(l.MaxTableBytes),
		max_metadata_bytes:     C.uint64_t(l.MaxMetadataBytes),
		max_json_bytes:         C.uint64_t(l.MaxJSONBytes),
	}
	call.pin.Pin(given)
	return given
}

// DefaultLimits are the limits that hold where a field is zero; [math.MaxUint64] is none.
func DefaultLimits() Limits {
	l := C.tarfs_limits{size: C.sizeof_tarfs_limits}
	// It fails of no size alone.
	_ = simple("DefaultLimits", func(failed **C.tarfs_error) C.int32_t {
		return C.tarfs_limits_get_default(&l, failed)
	})
	return Limits{
		MaxBytes:            uint64(l.max_bytes),
		MaxRatio:            uint64(l.max_ratio),
		MaxEntries:          uint64(l.max_entries),
		MaxInodes:           uint64(l.max_inodes),
		MaxImplied:          uint64(l.max_implied),
		MaxDepth:            uint64(l.max_depth),
		MaxPathBytes:        uint64(l.max_path_bytes),
		MaxNameBytes:        uint64(l.max_name_bytes),
		MaxExtensionBytes:   uint64(l.max_extension_bytes),
		MaxXattrBytes:       uint64(l.max_xattr_bytes),
		MaxGlobalPathBytes:  uint64(l.max_global_path_bytes),
		MaxGlobalXattrBytes: uint64(l.max_global_xattr_bytes),
		MaxSparseSegments:   uint64(l.max_sparse_segments),
		MaxCarried:          uint64(l.max_carried),
		MaxTableBytes:       uint64(l.max_table_bytes),
		MaxMetadataBytes:    uint64(l.max_metadata_bytes),
		MaxJSONBytes:        uint64(l.max_json_bytes),
	}
}
