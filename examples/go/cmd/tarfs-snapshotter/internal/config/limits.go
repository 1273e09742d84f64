package config

// Limits are how much layers and images may cost, beside what [Differ] limits: see tarfs.Limits, whose fields they are,
// and by whose names errors call them. Zero is the library's default.
type Limits struct {
	MaxInodes           uint64 `toml:"max_inodes"`
	MaxImplied          uint64 `toml:"max_implied"`
	MaxDepth            uint64 `toml:"max_depth"`
	MaxPathBytes        uint64 `toml:"max_path_bytes"`
	MaxExtensionBytes   uint64 `toml:"max_extension_bytes"`
	MaxXattrBytes       uint64 `toml:"max_xattr_bytes"`
	MaxGlobalPathBytes  uint64 `toml:"max_global_path_bytes"`
	MaxGlobalXattrBytes uint64 `toml:"max_global_xattr_bytes"`
	MaxSparseSegments   uint64 `toml:"max_sparse_segments"`
	MaxCarried          uint64 `toml:"max_carried"`
	MaxTableBytes       uint64 `toml:"max_table_bytes"`
	MaxMetadataBytes    uint64 `toml:"max_metadata_bytes"`
}
