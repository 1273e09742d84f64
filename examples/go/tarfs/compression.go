package tarfs

// #include <tarfs.h>
import "C"

// Compression is how what is written to a layer is compressed.
type Compression uint32

// The compressions that layers come in.
const (
	// CompressionNone: it is the tar itself.
	CompressionNone Compression = C.TARFS_COMPRESSION_NONE
	// CompressionAuto: told by the first bytes, gzip, zstd, xz or bzip2; a tar as it is if they are of none.
	CompressionAuto Compression = C.TARFS_COMPRESSION_AUTO
	// CompressionGzip: members one behind the other, each held against its CRC-32 and length.
	CompressionGzip Compression = C.TARFS_COMPRESSION_GZIP
	// CompressionZstd: frames one behind the other, each held against its checksum, if it has one.
	CompressionZstd Compression = C.TARFS_COMPRESSION_ZSTD
	// CompressionXz: streams one behind the other, each held against its checks. A libtarfs that was built without
	// the feature "xz", as it is by default, answers ErrCompressed.
	CompressionXz Compression = C.TARFS_COMPRESSION_XZ
	// CompressionBzip2: streams one behind the other, each held against its CRCs.
	CompressionBzip2 Compression = C.TARFS_COMPRESSION_BZIP2
)
