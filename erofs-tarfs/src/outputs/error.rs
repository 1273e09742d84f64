//! What cannot be said in a form.

use alloc::string::String;

/// Why a table, a descriptor or a partitioned disk is refused. Offsets and lengths are in bytes.
///
/// ```
/// use erofs_tarfs::outputs::{Error, FileExtents, vmdk};
///
/// let mut disk = FileExtents::default();
/// disk.push(1000, "odd.tar", 0)?;
/// let error = vmdk(&disk).unwrap_err();
/// let file = Some("odd.tar".to_owned());
/// assert_eq!(error, Error::Sectors { offset: 0, bytes: 1000, file });
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A range that is not whole sectors of 512 bytes, in the disk or in its file.
    #[error(
        "{}: {bytes} bytes of it, at byte {offset} of the disk, are not whole sectors of 512 bytes",
        .file.as_deref().unwrap_or("zeros")
    )]
    Sectors {
        /// Where it starts in the disk.
        offset: u64,
        /// Its length.
        bytes: u64,
        /// The file; `None` for zeros.
        file: Option<String>,
    },
    /// A file's name that the form cannot carry.
    #[error("the name {name:?} cannot be used: {rule}")]
    Name {
        /// The name.
        name: String,
        /// What it breaks.
        rule: NameRule,
    },
    /// Zeros that no file backs.
    #[error("{bytes} zeros at byte {offset} of the disk are in no file")]
    Zeros {
        /// Where they start in the disk.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// Bytes that are in no file: a packed disk has copies of them.
    #[error("bytes at {offset} of the disk are copies, and in no file as they are")]
    Copied {
        /// Where they start in the disk.
        offset: u64,
    },
    /// A descriptor longer than readers take.
    #[error("the descriptor has more than {limit} bytes, which readers do not take")]
    Descriptor {
        /// The most bytes.
        limit: usize,
    },
    /// A disk, or a partition, of no bytes.
    #[error("there is nothing in it")]
    Empty,
    /// A disk, or a range of a file, of another length than what it is for needs.
    #[error("{bytes} bytes where {expected} are expected")]
    Length {
        /// The length.
        bytes: u64,
        /// What it should be.
        expected: u64,
    },
    /// More bytes than offsets can tell.
    #[error("{bytes} bytes more are past 2^64")]
    TooLarge {
        /// The length that was too much.
        bytes: u64,
    },
    /// No partition, or more than Linux finds.
    #[error("{count} partitions: there must be 1 to {limit}")]
    Partitions {
        /// How many.
        count: usize,
        /// The most.
        limit: usize,
    },
    /// A partition's name longer than 36 UTF-16 units.
    #[error("the partition name {name:?} has more than 36 UTF-16 units")]
    PartitionName {
        /// The name.
        name: String,
    },
    /// A hash tree's partition whose identity is no root hash, or that of no volume, or of two.
    #[error(
        "the hash tree {name:?} is not of exactly one volume: both have the root hash for identity"
    )]
    Unpaired {
        /// The partition's name.
        name: String,
    },
    /// An alignment of partitions that is no power of two, less than a sector or more than 1 GiB.
    #[error(
        "partitions cannot be aligned to {align} bytes: a power of two from 512 to 1 GiB is wanted"
    )]
    Alignment {
        /// The alignment.
        align: u64,
    },
}

/// What names may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameRule {
    /// No character at all.
    #[error("it is empty")]
    Empty,
    /// A control character, such as a line's end.
    #[error("it has a control character")]
    Control,
    /// A double quote, which would end it.
    #[error("it has a double quote")]
    Quote,
    /// More bytes than readers take.
    #[error("it has more than {limit} bytes")]
    Long {
        /// The most bytes.
        limit: usize,
    },
}

impl NameRule {
    /// What holds in every form.
    pub(super) fn check(name: &str) -> Result<(), Error> {
        let rule = match name {
            "" => Self::Empty,
            _ if name.contains(char::is_control) => Self::Control,
            _ => return Ok(()),
        };
        Err(Error::Name { name: name.into(), rule })
    }
}
