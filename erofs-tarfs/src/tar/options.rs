//! What a parser accepts, and how much it holds.

/// What a [`Parser`](super::Parser) accepts, and its limits.
///
/// Memory follows the bytes seen, never a length that a header claims; the limits bound what a
/// hostile stream that really sends its bytes can make the parser hold.
///
/// ```
/// let options = erofs_tarfs::tar::ParseOptions::new().strict(true).max_path_bytes(4095);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseOptions {
    /// Longest path or link target, in bytes. Protects what keeps names after the parser.
    ///
    /// Default 65,536: sixteen times Linux's `PATH_MAX`, so that long paths which extraction
    /// below a directory can still reach are not refused here.
    pub max_path_bytes: usize,
    /// Most bytes of extension headers (types `x`, `L`, `K`) before one entry, in sum, and of
    /// any single global header. Protects memory: these are held until their entry comes.
    ///
    /// Default 1 MiB, the limit of Go's `archive/tar`.
    pub max_extension_bytes: u64,
    /// Most bytes of extended attributes (names and values) of one entry. Protects what keeps
    /// attributes after the parser.
    ///
    /// Default 1 MiB.
    pub max_xattr_bytes: usize,
    /// Most bytes of a global path or link target, in force for all entries that follow. Protects time and
    /// memory: each of these is 512 bytes of the tar, whatever the length of what it takes from here.
    ///
    /// Default 1,024; no writer is known that has these at all.
    pub max_global_path_bytes: usize,
    /// Most bytes of global extended attributes in force (names, values, and 16 for each; access control
    /// lists and SELinux labels are among them). Protects time and the size of images: every entry that
    /// follows carries them.
    ///
    /// Default 1,024: an image is no more than four times as long as its tar for them.
    pub max_global_xattr_bytes: usize,
    /// Most runs in the map of a sparse file, empty ones counted. Protects memory: 16 bytes
    /// each.
    ///
    /// Default 1,048,576, the limit of Go's `archive/tar`.
    pub max_sparse_segments: usize,
    /// Most bytes of the tar, its end and what follows that counted. Protects time, and the disk that a tar
    /// is written to: a few bytes of a compressed stream become any number.
    ///
    /// No limit by default: who reads a tar from a file has its bytes. Set it for tars that are decompressed.
    pub max_bytes: u64,
    /// Refuse an archive that does not end in two zero blocks. Default off: GNU tar and Go accept
    /// one zero block, or none, before the end of the stream.
    pub strict: bool,
    /// Pass over entries of types we do not know, with their bodies, and count them. Off, which
    /// is the default, they are errors.
    pub skip_unknown_types: bool,
    /// Refuse a stream whose length is not a multiple of 512 bytes. Off, which is the default,
    /// missing padding of the last block is accepted and can be told from
    /// [`End::bytes`](super::End::bytes).
    pub refuse_partial_last_block: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            max_path_bytes: 65_536,
            max_extension_bytes: 1 << 20,
            max_xattr_bytes: 1 << 20,
            max_global_path_bytes: 1 << 10,
            max_global_xattr_bytes: 1 << 10,
            max_sparse_segments: 1 << 20,
            max_bytes: u64::MAX,
            strict: false,
            skip_unknown_types: false,
            refuse_partial_last_block: false,
        }
    }
}

impl ParseOptions {
    /// The default: the limits below, and what GNU tar and Go accept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the longest path or link target, in bytes; 65,536 by default.
    #[must_use]
    pub fn max_path_bytes(self, max_path_bytes: usize) -> Self {
        Self { max_path_bytes, ..self }
    }

    /// Sets the most bytes of extension headers before one entry; 1 MiB by default.
    #[must_use]
    pub fn max_extension_bytes(self, max_extension_bytes: u64) -> Self {
        Self { max_extension_bytes, ..self }
    }

    /// Sets the most bytes of extended attributes of one entry; 1 MiB by default.
    #[must_use]
    pub fn max_xattr_bytes(self, max_xattr_bytes: usize) -> Self {
        Self { max_xattr_bytes, ..self }
    }

    /// Sets the most bytes of a global path or link target; 1,024 by default.
    #[must_use]
    pub fn max_global_path_bytes(self, max_global_path_bytes: usize) -> Self {
        Self { max_global_path_bytes, ..self }
    }

    /// Sets the most bytes of global extended attributes in force; 1,024 by default.
    #[must_use]
    pub fn max_global_xattr_bytes(self, max_global_xattr_bytes: usize) -> Self {
        Self { max_global_xattr_bytes, ..self }
    }

    /// Sets the most runs in the map of a sparse file; 1,048,576 by default.
    #[must_use]
    pub fn max_sparse_segments(self, max_sparse_segments: usize) -> Self {
        Self { max_sparse_segments, ..self }
    }

    /// Sets the most bytes of the tar; any number by default.
    #[must_use]
    pub fn max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }

    /// Sets whether an archive must end in two zero blocks; off by default.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Sets whether entries of unknown types are passed over; by default they are errors.
    #[must_use]
    pub fn skip_unknown_types(self, skip_unknown_types: bool) -> Self {
        Self { skip_unknown_types, ..self }
    }

    /// Sets whether a stream must be a multiple of 512 bytes; off by default.
    #[must_use]
    pub fn refuse_partial_last_block(self, refuse_partial_last_block: bool) -> Self {
        Self { refuse_partial_last_block, ..self }
    }
}
