//! What cannot be said in a form.

use alloc::string::String;
use core::fmt;

/// Why a table, a descriptor or a partitioned disk is refused. Offsets and lengths are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A range that is not whole sectors of 512 bytes, in the disk or in its file.
    Sectors {
        /// Where it starts in the disk.
        offset: u64,
        /// Its length.
        bytes: u64,
        /// The file; `None` for zeros.
        file: Option<String>,
    },
    /// A file's name that the form cannot carry.
    Name {
        /// The name.
        name: String,
        /// What it breaks.
        rule: NameRule,
    },
    /// Zeros that no file backs.
    Zeros {
        /// Where they start in the disk.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// Bytes that are in no file: a packed disk has copies of them.
    Copied {
        /// Where they start in the disk.
        offset: u64,
    },
    /// A descriptor longer than readers take.
    Descriptor {
        /// The most bytes.
        limit: usize,
    },
    /// A disk, or a partition, of no bytes.
    Empty,
    /// A length that is not what it must be.
    Length {
        /// The length.
        bytes: u64,
        /// What it should be.
        expected: u64,
    },
    /// More bytes than offsets can tell.
    TooLarge {
        /// The length that was too much.
        bytes: u64,
    },
    /// No partition, or more than Linux finds.
    Partitions {
        /// How many.
        count: usize,
        /// The most.
        limit: usize,
    },
    /// A partition's name longer than 36 UTF-16 units.
    PartitionName {
        /// The name.
        name: String,
    },
    /// A hash tree's partition whose identity is no root hash, or that of no volume, or of two.
    Unpaired {
        /// The partition's name.
        name: String,
    },
    /// An alignment of partitions that is no power of two, less than a sector or more than 1 GiB.
    Alignment {
        /// The alignment.
        align: u64,
    },
}

/// What names may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameRule {
    /// No character at all.
    Empty,
    /// A control character, such as a line's end.
    Control,
    /// A double quote, which would end it.
    Quote,
    /// More bytes than readers take.
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

impl fmt::Display for NameRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty"),
            Self::Control => write!(f, "it has a control character"),
            Self::Quote => write!(f, "it has a double quote"),
            Self::Long { limit } => write!(f, "it has more than {limit} bytes"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copied { offset } => {
                write!(f, "bytes at {offset} of the disk are copies, and in no file as they are")
            }
            Self::Sectors { offset, bytes, file } => {
                let file = file.as_deref().unwrap_or("zeros");
                write!(
                    f,
                    "{file}: {bytes} bytes of it, at byte {offset} of the disk, are not whole \
                     sectors of 512 bytes"
                )
            }
            Self::Name { name, rule } => write!(f, "the name {name:?} cannot be used: {rule}"),
            Self::Zeros { offset, bytes } => {
                write!(f, "{bytes} zeros at byte {offset} of the disk are in no file")
            }
            Self::Descriptor { limit } => {
                write!(f, "the descriptor has more than {limit} bytes, which readers do not take")
            }
            Self::Empty => write!(f, "there is nothing in it"),
            Self::Length { bytes, expected } => {
                write!(f, "{bytes} bytes where {expected} are expected")
            }
            Self::TooLarge { bytes } => write!(f, "{bytes} bytes more are past 2^64"),
            Self::Partitions { count, limit } => {
                write!(f, "{count} partitions: there must be 1 to {limit}")
            }
            Self::PartitionName { name } => {
                write!(f, "the partition name {name:?} has more than 36 UTF-16 units")
            }
            Self::Unpaired { name } => write!(
                f,
                "the hash tree {name:?} is not of exactly one volume: both have the root hash for \
                 identity"
            ),
            Self::Alignment { align } => {
                write!(
                    f,
                    "partitions cannot be aligned to {align} bytes: a power of two from 512 to 1 GiB is wanted"
                )
            }
        }
    }
}

impl core::error::Error for Error {}
