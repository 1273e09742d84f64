//! What can be wrong, with the value and the place.

use core::fmt;

/// Why parameters, a tree or a superblock are refused.
///
/// Offsets are byte offsets in the file that holds the thing named (data offsets in the data,
/// hash offsets in the hash file); block indices count data blocks or, within a level, hash blocks.
///
/// ```
/// use erofs_tarfs::verity::{Error, Geometry, Params, HashPlacement};
///
/// let tail = Geometry::new(&Params::nydus(), 1000, HashPlacement::OwnFile).unwrap_err();
/// assert_eq!(tail, Error::DataTail { bytes: 1000, block: 512 });
/// assert_eq!(tail.to_string(), "1000 bytes of data are not whole blocks of 512; pad with zeros");
/// assert!(!tail.is_mismatch());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A block size that is not a power of two from 512 to 524288 bytes.
    #[error("block size {bytes} is not a power of two from 512 to 524288")]
    BlockSize {
        /// The size asked for, in bytes.
        bytes: u32,
    },
    /// A salt longer than 256 bytes.
    #[error("salt of {bytes} bytes, at most 256 are allowed")]
    SaltLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A nil UUID: readers of superblocks (go-dmverity) refuse it.
    #[error("the UUID of a verity superblock must not be nil")]
    NilUuid,
    /// Not a name of a preset, a UUID or a hex digest of the right form.
    #[error("not a valid {what}")]
    Syntax {
        /// What was to be read.
        what: &'static str,
    },
    /// No data at all: a tree covers at least one block.
    #[error("no data: a hash tree needs at least one data block")]
    NoData,
    /// Data that is not whole data blocks; the tail would not be protected. Pad it with zeros.
    #[error("{bytes} bytes of data are not whole blocks of {block}; pad with zeros")]
    DataTail {
        /// Length of the data in bytes.
        bytes: u64,
        /// Data block size in bytes.
        block: u32,
    },
    /// More blocks than byte offsets up to 2^63 can address, tree included.
    #[error("{data_blocks} data blocks and their tree do not fit in 2^63 bytes")]
    TooLarge {
        /// The number of data blocks.
        data_blocks: u64,
    },
    /// A hash offset that is not a multiple of 512 or, without a superblock, of the hash block.
    #[error("hash offset {offset} is not a multiple of {multiple}")]
    HashOffset {
        /// The hash offset in bytes.
        offset: u64,
        /// What it must be a multiple of, in bytes.
        multiple: u32,
    },
    /// A hash area that would start inside the data of the same file.
    #[error("hash offset {offset} lies inside the {data_bytes} bytes of data")]
    HashOverData {
        /// The hash offset in bytes.
        offset: u64,
        /// Length of the data in bytes.
        data_bytes: u64,
    },
    /// A data block larger than a page: the kernel refuses to open it.
    #[error("data block of {block} bytes is larger than a page of {page}")]
    DataBlockOverPage {
        /// Data block size in bytes.
        block: u32,
        /// Page size in bytes.
        page: u32,
    },
    /// More data pushed than the geometry has.
    #[error("{bytes} bytes of data, only {expected} were announced")]
    TooMuchData {
        /// Bytes of data there would be.
        bytes: u64,
        /// Bytes of data in the geometry.
        expected: u64,
    },
    /// Finished before all data came.
    #[error("data ends after {bytes} bytes, {expected} were announced")]
    TooLittleData {
        /// Bytes of data pushed.
        bytes: u64,
        /// Bytes of data in the geometry.
        expected: u64,
    },
    /// Ready digests pushed while a data block is half full.
    #[error("digests pushed at byte {offset} of the data, inside a data block")]
    MidBlock {
        /// Bytes of data pushed so far.
        offset: u64,
    },
    /// Digests, or room for them, that are not a whole number of values of the algorithm's length, or too few.
    #[error("{bytes} bytes where whole digests of all blocks belong")]
    DigestLength {
        /// Length given, in bytes.
        bytes: usize,
    },
    /// A tree without levels where there must be one: a single data block has none.
    #[error("a single data block has no tree")]
    NoLevels,
    /// Leaves that were hashed with another data block size, algorithm or salt than the tree's.
    #[error("the leaves were hashed with another data block size, algorithm or salt")]
    OtherLeaves,
    /// A slice of data that is not whole blocks.
    #[error("{bytes} bytes are not whole blocks of {block}")]
    BlockLength {
        /// Length given, in bytes.
        bytes: usize,
        /// Block size in bytes.
        block: u32,
    },
    /// A block index past the end of the data.
    #[error("data block {block} of {data_blocks} does not exist")]
    BlockIndex {
        /// The index asked for.
        block: u64,
        /// How many data blocks there are.
        data_blocks: u64,
    },
    /// A data block that does not hash to the digest in the tree.
    #[error("data block {block} at byte {offset} does not match its digest")]
    DataMismatch {
        /// Index of the data block.
        block: u64,
        /// Its byte offset in the data.
        offset: u64,
    },
    /// A hash block that does not hash to the digest in its parent, or to the root hash.
    #[error("hash block {block} of level {level} at byte {offset} does not match")]
    HashMismatch {
        /// Level, 0 just above the data.
        level: u8,
        /// Index of the hash block in its level.
        block: u64,
        /// Its byte offset in the hash file.
        offset: u64,
    },
    /// Bytes behind the last digest of a level that are not zero.
    #[error("spare byte at {offset}, in hash block {block} of level {level}, is not zero")]
    SpareNotZero {
        /// Level, 0 just above the data.
        level: u8,
        /// Index of the hash block in its level.
        block: u64,
        /// Byte offset in the hash file of the first such byte.
        offset: u64,
    },
    /// Fewer bytes than a superblock has.
    #[error("a verity superblock has 512 bytes, here are {bytes}")]
    SuperblockShort {
        /// Bytes given.
        bytes: usize,
    },
    /// A superblock that does not begin with `verity\0\0`.
    #[error("no verity superblock here")]
    SuperblockMagic,
    /// A superblock of another version than 1.
    #[error("verity superblock version {version}, only 1 is known")]
    SuperblockVersion {
        /// The version it states.
        version: u32,
    },
    /// A hash type other than 1, and 0, which is Chrome OS's.
    #[error("verity hash type {hash_type}, only 0 and 1 are known")]
    HashType {
        /// The type it states.
        hash_type: u32,
    },
    /// A hash algorithm other than sha256 and sha512.
    #[error("hash algorithm \"{}\", only sha256 and sha512 are supported", until_nul(.name).escape_ascii())]
    Algorithm {
        /// The name it states, padded with NULs.
        name: [u8; 32],
    },
    /// Parameters or places that the form asked for cannot say.
    #[error("{form} have no place for {what}")]
    NoPlace {
        /// The form.
        form: &'static str,
        /// What it cannot say.
        what: &'static str,
    },
    /// A name that has no place in the text asked for.
    #[error(fmt = bad_name)]
    Name {
        /// The character that cannot be written there, or NUL for an empty name.
        found: char,
    },
}

impl Error {
    /// Whether this means that data or tree differ from what the root hash says. All other errors
    /// are about how they were asked for.
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

/// A name without the NULs that it is padded with.
fn until_nul(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn bad_name(found: &char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match found {
        '\0' => f.write_str("a device name must not be empty"),
        found => write!(f, "a device name must not have {found:?}"),
    }
}

/// Why a step that calls the caller's code stopped: an [`Error`] of this module, or the caller's
/// own error, handed back unchanged.
///
/// ```
/// use erofs_tarfs::verity::{Fault, Geometry, Hasher, Params, HashPlacement};
///
/// let mut full = |_: u64, _: &[u8]| Err("no room");
/// let mut hasher = Hasher::new(Geometry::new(&Params::nydus(), 1024, HashPlacement::OwnFile)?);
/// hasher.push_zeros(1024, &mut full).ok();
/// assert_eq!(hasher.finish(&mut full), Err(Fault::Caller("no room")));
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(clippy::exhaustive_enums)]
pub enum Fault<E> {
    /// Data, tree or use is wrong.
    #[error(transparent)]
    Verity(#[from] Error),
    /// What the caller's sink or source returned.
    #[error(transparent)]
    Caller(E),
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
