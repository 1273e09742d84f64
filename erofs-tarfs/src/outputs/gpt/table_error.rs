//! What is wrong with partition tables.

/// Why a partition table is not believed. Places are sectors of 512 bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// There is none: no `EFI PART`.
    #[error("there is no header in it")]
    NoHeader,
    /// A header that is too short to be one, or longer than a sector.
    #[error("its header has {bytes} bytes")]
    HeaderLength {
        /// The length that it states in bytes.
        bytes: u32,
    },
    /// The header does not have its checksum.
    #[error("its header has a wrong checksum")]
    HeaderChecksum,
    /// The header says that it is elsewhere.
    #[error("its header is in sector {own}, and says that it is in {stated}")]
    Place {
        /// Where it says it is.
        stated: u64,
        /// Where it is.
        own: u64,
    },
    /// The sectors for partitions are none, or end behind the disk.
    #[error("partitions are to be in sectors {first} to {last} of a disk that has {sectors}")]
    Usable {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
        /// How many the disk has.
        sectors: u64,
    },
    /// Entries of another length than 128 bytes, which Linux does not read either.
    #[error("its entries have {bytes} bytes, not 128")]
    EntryLength {
        /// The length in bytes.
        bytes: u32,
    },
    /// More entries than are read.
    #[error("it has {count} entries, and at most {limit} are read")]
    Entries {
        /// How many.
        count: u32,
        /// The most.
        limit: u32,
    },
    /// The entries are not in the disk, or where something else is.
    #[error(
        "its entries are to be in sectors {first} to {end}, which is outside of the disk or where \
         something else is"
    )]
    EntriesPlace {
        /// Their first sector.
        first: u64,
        /// The sector behind them.
        end: u64,
    },
    /// The entries do not have their checksum.
    #[error("its entries have a wrong checksum")]
    EntriesChecksum,
    /// A partition that ends before it starts, or is outside of the sectors for partitions.
    #[error("partition {number}, sectors {first} to {last}, is not where partitions are to be")]
    Outside {
        /// Its number.
        number: u32,
        /// Its first sector.
        first: u64,
        /// Its last sector.
        last: u64,
    },
    /// Two partitions with sectors in common.
    #[error("partitions {one} and {two} have sectors in common")]
    Overlap {
        /// The number of one.
        one: u32,
        /// That of the other.
        two: u32,
    },
    /// Two partitions with one GUID.
    #[error("partitions {one} and {two} have one GUID")]
    SameGuid {
        /// The number of one.
        one: u32,
        /// That of the other.
        two: u32,
    },
    /// The tables at both ends of the disk say different things.
    #[error("the tables at both ends of the disk differ")]
    Differ,
    /// The table that should be in the disk's last sector is elsewhere: the disk has become longer.
    #[error("the second table is in sector {own}, and the disk ends with sector {last}")]
    NotLast {
        /// The sector that it is in.
        own: u64,
        /// The last one.
        last: u64,
    },
}
