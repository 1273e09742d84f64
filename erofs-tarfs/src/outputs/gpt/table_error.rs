//! What is wrong with partition tables.

use core::fmt;

/// Why a partition table is not believed. Places are sectors of 512 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableError {
    /// There is none: no `EFI PART`.
    NoHeader,
    /// A header that is too short to be one, or longer than a sector.
    HeaderLength {
        /// The length that it states in bytes.
        bytes: u32,
    },
    /// The header does not have its checksum.
    HeaderChecksum,
    /// The header says that it is elsewhere.
    Place {
        /// Where it says it is.
        stated: u64,
        /// Where it is.
        own: u64,
    },
    /// The sectors for partitions are none, or end behind the disk.
    Usable {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
        /// How many the disk has.
        sectors: u64,
    },
    /// Entries of another length than 128 bytes, which Linux does not read either.
    EntryLength {
        /// The length in bytes.
        bytes: u32,
    },
    /// More entries than are read.
    Entries {
        /// How many.
        count: u32,
        /// The most.
        limit: u32,
    },
    /// The entries are not in the disk, or where something else is.
    EntriesPlace {
        /// Their first sector.
        first: u64,
        /// The sector behind them.
        end: u64,
    },
    /// The entries do not have their checksum.
    EntriesChecksum,
    /// A partition that ends before it starts, or is outside of the sectors for partitions.
    Outside {
        /// Its number.
        number: u32,
        /// Its first sector.
        first: u64,
        /// Its last sector.
        last: u64,
    },
    /// Two partitions with sectors in common.
    Overlap {
        /// The number of one.
        one: u32,
        /// That of the other.
        two: u32,
    },
    /// Two partitions with one GUID.
    SameGuid {
        /// The number of one.
        one: u32,
        /// That of the other.
        two: u32,
    },
    /// The tables at both ends of the disk say different things.
    Differ,
    /// The table that should be in the disk's last sector is elsewhere: the disk has become longer.
    NotLast {
        /// The sector that it is in.
        own: u64,
        /// The last one.
        last: u64,
    },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => write!(f, "there is no header in it"),
            Self::HeaderLength { bytes } => write!(f, "its header has {bytes} bytes"),
            Self::HeaderChecksum => write!(f, "its header has a wrong checksum"),
            Self::Place { stated, own } => {
                write!(f, "its header is in sector {own}, and says that it is in {stated}")
            }
            Self::Usable { first, last, sectors } => write!(
                f,
                "partitions are to be in sectors {first} to {last} of a disk that has {sectors}"
            ),
            Self::EntryLength { bytes } => write!(f, "its entries have {bytes} bytes, not 128"),
            Self::Entries { count, limit } => {
                write!(f, "it has {count} entries, and at most {limit} are read")
            }
            Self::EntriesPlace { first, end } => write!(
                f,
                "its entries are to be in sectors {first} to {end}, which is outside of the disk or \
                 where something else is"
            ),
            Self::EntriesChecksum => write!(f, "its entries have a wrong checksum"),
            Self::Outside { number, first, last } => write!(
                f,
                "partition {number}, sectors {first} to {last}, is not where partitions are to be"
            ),
            Self::Overlap { one, two } => {
                write!(f, "partitions {one} and {two} have sectors in common")
            }
            Self::SameGuid { one, two } => write!(f, "partitions {one} and {two} have one GUID"),
            Self::Differ => write!(f, "the tables at both ends of the disk differ"),
            Self::NotLast { own, last } => write!(
                f,
                "the second table is in sector {own}, and the disk ends with sector {last}"
            ),
        }
    }
}

impl core::error::Error for TableError {}
