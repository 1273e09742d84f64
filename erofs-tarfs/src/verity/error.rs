//! What can be wrong, with the value and the place.

use core::fmt;

/// Why parameters, a tree or a superblock are refused.
///
/// Offsets are byte offsets in the file that holds the thing named (data offsets in the data,
/// hash offsets in the hash file); block indices count data blocks or, within a level, hash blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A block size that is not a power of two from 512 to 524288 bytes.
    BlockSize {
        /// The size asked for, in bytes.
        bytes: u32,
    },
    /// A salt longer than 256 bytes.
    SaltLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A nil UUID: readers of superblocks (go-dmverity) refuse it.
    NilUuid,
    /// Not a name of a preset, a UUID or a hex digest of the right form.
    Syntax {
        /// What was to be read.
        what: &'static str,
    },
    /// No data at all: a tree covers at least one block.
    NoData,
    /// Data that is not whole data blocks; the tail would not be protected. Pad it with zeros.
    DataTail {
        /// Length of the data in bytes.
        bytes: u64,
        /// Data block size in bytes.
        block: u32,
    },
    /// More blocks than byte offsets up to 2^63 can address, tree included.
    TooLarge {
        /// The number of data blocks.
        data_blocks: u64,
    },
    /// A hash offset that is not a multiple of what it must be.
    HashOffset {
        /// The hash offset in bytes.
        offset: u64,
        /// What it must be a multiple of, in bytes.
        multiple: u32,
    },
    /// A hash area that would start inside the data of the same file.
    HashOverData {
        /// The hash offset in bytes.
        offset: u64,
        /// Length of the data in bytes.
        data_bytes: u64,
    },
    /// A data block larger than a page: the kernel refuses to open it.
    DataBlockOverPage {
        /// Data block size in bytes.
        block: u32,
        /// Page size in bytes.
        page: u32,
    },
    /// More data pushed than the geometry has.
    TooMuchData {
        /// Bytes of data there would be.
        bytes: u64,
        /// Bytes of data in the geometry.
        expected: u64,
    },
    /// Finished before all data came.
    TooLittleData {
        /// Bytes of data pushed.
        bytes: u64,
        /// Bytes of data in the geometry.
        expected: u64,
    },
    /// Ready digests pushed while a data block is half full.
    MidBlock {
        /// Bytes of data pushed so far.
        offset: u64,
    },
    /// Digests, or room for them, that are not a whole number of 32-byte values, or too few.
    DigestLength {
        /// Length given, in bytes.
        bytes: usize,
    },
    /// A tree without levels where there must be one: a single data block has none.
    NoLevels,
    /// Leaves that were hashed with another data block size or salt than the tree's.
    OtherLeaves,
    /// A slice of data that is not whole blocks.
    BlockLength {
        /// Length given, in bytes.
        bytes: usize,
        /// Block size in bytes.
        block: u32,
    },
    /// A block index past the end of the data.
    BlockIndex {
        /// The index asked for.
        block: u64,
        /// How many data blocks there are.
        data_blocks: u64,
    },
    /// A data block that does not hash to the digest in the tree.
    DataMismatch {
        /// Index of the data block.
        block: u64,
        /// Its byte offset in the data.
        offset: u64,
    },
    /// A hash block that does not hash to the digest in its parent, or to the root hash.
    HashMismatch {
        /// Level, 0 just above the data.
        level: u8,
        /// Index of the hash block in its level.
        block: u64,
        /// Its byte offset in the hash file.
        offset: u64,
    },
    /// Bytes behind the last digest of a level that are not zero.
    SpareNotZero {
        /// Level, 0 just above the data.
        level: u8,
        /// Index of the hash block in its level.
        block: u64,
        /// Byte offset in the hash file of the first such byte.
        offset: u64,
    },
    /// Fewer bytes than a superblock has.
    SuperblockShort {
        /// Bytes given.
        bytes: usize,
    },
    /// A superblock that does not begin with `verity\0\0`.
    SuperblockMagic,
    /// A superblock of another version than 1.
    SuperblockVersion {
        /// The version it states.
        version: u32,
    },
    /// A hash type other than 1 (0 is Chrome OS's, not supported).
    HashType {
        /// The type it states.
        hash_type: u32,
    },
    /// A hash algorithm other than sha256.
    Algorithm {
        /// The name it states, padded with NULs.
        name: [u8; 32],
    },
    /// A name that has no place in the text asked for.
    Name {
        /// The character that cannot be written there, or NUL for an empty name.
        found: char,
    },
}

impl Error {
    /// Whether data or tree is not what the root hash says, rather than asked for wrongly.
    pub const fn is_mismatch(&self) -> bool {
        matches!(
            self,
            Self::DataMismatch { .. } | Self::HashMismatch { .. } | Self::SpareNotZero { .. }
        )
    }

    /// The byte offset of what does not match: in the data for [`Error::DataMismatch`], else in
    /// the hash file.
    pub const fn offset(&self) -> Option<u64> {
        match self {
            Self::DataMismatch { offset, .. }
            | Self::HashMismatch { offset, .. }
            | Self::SpareNotZero { offset, .. } => Some(*offset),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BlockSize { bytes } => {
                write!(f, "block size {bytes} is not a power of two from 512 to 524288")
            }
            Self::SaltLength { bytes } => {
                write!(f, "salt of {bytes} bytes, at most 256 are allowed")
            }
            Self::NilUuid => f.write_str("the UUID of a verity superblock must not be nil"),
            Self::Syntax { what } => write!(f, "not a valid {what}"),
            Self::NoData => f.write_str("no data: a hash tree needs at least one data block"),
            Self::DataTail { bytes, block } => {
                write!(f, "{bytes} bytes of data are not whole blocks of {block}; pad with zeros")
            }
            Self::TooLarge { data_blocks } => {
                write!(f, "{data_blocks} data blocks and their tree do not fit in 2^63 bytes")
            }
            Self::HashOffset { offset, multiple } => {
                write!(f, "hash offset {offset} is not a multiple of {multiple}")
            }
            Self::HashOverData { offset, data_bytes } => {
                write!(f, "hash offset {offset} lies inside the {data_bytes} bytes of data")
            }
            Self::DataBlockOverPage { block, page } => {
                write!(f, "data block of {block} bytes is larger than a page of {page}")
            }
            Self::TooMuchData { bytes, expected } => {
                write!(f, "{bytes} bytes of data, only {expected} were announced")
            }
            Self::TooLittleData { bytes, expected } => {
                write!(f, "data ends after {bytes} bytes, {expected} were announced")
            }
            Self::MidBlock { offset } => {
                write!(f, "digests pushed at byte {offset} of the data, inside a data block")
            }
            Self::DigestLength { bytes } => {
                write!(f, "{bytes} bytes where whole 32-byte digests of all blocks belong")
            }
            Self::NoLevels => f.write_str("a single data block has no tree"),
            Self::OtherLeaves => {
                f.write_str("the leaves were hashed with another data block size or salt")
            }
            Self::BlockLength { bytes, block } => {
                write!(f, "{bytes} bytes are not whole blocks of {block}")
            }
            Self::BlockIndex { block, data_blocks } => {
                write!(f, "data block {block} of {data_blocks} does not exist")
            }
            Self::DataMismatch { block, offset } => {
                write!(f, "data block {block} at byte {offset} does not match its digest")
            }
            Self::HashMismatch { level, block, offset } => {
                write!(f, "hash block {block} of level {level} at byte {offset} does not match")
            }
            Self::SpareNotZero { level, block, offset } => write!(
                f,
                "spare byte at {offset}, in hash block {block} of level {level}, is not zero"
            ),
            Self::SuperblockShort { bytes } => {
                write!(f, "a verity superblock has 512 bytes, here are {bytes}")
            }
            Self::SuperblockMagic => f.write_str("no verity superblock here"),
            Self::SuperblockVersion { version } => {
                write!(f, "verity superblock version {version}, only 1 is known")
            }
            Self::HashType { hash_type } => {
                write!(f, "verity hash type {hash_type}, only 1 is supported")
            }
            Self::Algorithm { name } => {
                f.write_str("hash algorithm \"")?;
                let len = name.iter().position(|&b| b == 0).unwrap_or(name.len());
                write!(f, "{}\", only sha256 is supported", name[..len].escape_ascii())
            }
            Self::Name { found: '\0' } => f.write_str("a device name must not be empty"),
            Self::Name { found } => write!(f, "a device name must not have {found:?}"),
        }
    }
}

impl core::error::Error for Error {}

/// Why a step that calls the caller's code stopped: an [`Error`] of this module, or the caller's
/// own error, handed back unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)]
pub enum Fault<E> {
    /// Data, tree or use is wrong.
    Verity(Error),
    /// What the caller's sink or source returned.
    Caller(E),
}

impl<E> From<Error> for Fault<E> {
    fn from(error: Error) -> Self {
        Self::Verity(error)
    }
}

impl<E: fmt::Display> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verity(error) => error.fmt(f),
            Self::Caller(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for Fault<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Verity(error) => error.source(),
            Self::Caller(error) => error.source(),
        }
    }
}

impl Fault<core::convert::Infallible> {
    /// The error itself, where the caller's code cannot fail.
    pub fn into_error(self) -> Error {
        match self {
            Self::Verity(error) => error,
            Self::Caller(never) => match never {},
        }
    }
}
