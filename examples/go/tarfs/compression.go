package tarfs

// #include <tarfs.h>
import "C"

// Compression is how what is written to a layer is compressed.
type Compression uint32

// The compressions that layers come in.
const (
	// CompressionNone: it is the tar itself.
	CompressionNone Compression = C.TARFS_COMPRESSION_NONE
	// CompressionAuto: told by the first bytes, gzip or zstd; a tar as it is if they are of neither.
	CompressionAuto Compression = C.TARFS_COMPRESSION_AUTO
	// CompressionGzip: members one behind the other, each held against its CRC-32 and length.
	CompressionGzip Compression = C.TARFS_COMPRESSION_GZIP
	// CompressionZstd: frames one behind the other, each held against its checksum, if it has one.
	CompressionZstd Compression = C.TARFS_COMPRESSION_ZSTD
)
