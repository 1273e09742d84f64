//! Partition tables read, as hostile input.

use super::crc32::crc32;
use super::guid::mixed_endian;
use super::sizes::{ENTRY, HEADER};
use super::{Role, TableError};
use crate::outputs::SECTOR;
use crate::verity::Uuid;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// The most entries that are read: 1 MiB of them.
const MAX_ENTRIES: u32 = 8192;

/// The header of a partition table, in sectors of 512 bytes: of the one at the beginning of a disk, or
/// of the one at its end.
///
/// ```
/// use erofs_tarfs::outputs::{Gpt, Partition, TableHeader};
///
/// let (name, bytes) = ("base".to_owned(), 8192);
/// let gpt = Gpt::new(vec![Partition { name, bytes, ..Partition::default() }], Gpt::ALIGN)?;
/// // The beginning of the disk: sector 0 is the MBR, sector 1 the header; entries follow.
/// let head = gpt.head();
/// let header = TableHeader::parse(&head[512..1024], 1, gpt.bytes() / 512)?;
/// let entries = header.entries();
/// let table = header.read(&head[entries.start as usize..entries.end as usize])?;
/// let found = &table.partitions[0];
/// assert_eq!((&found.name[..], found.offset, found.bytes), ("base", 1 << 20, 8192));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// UEFI specification 2.10, chapter 5.3, "GUID Partition Table (GPT) Disk Layout"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHeader {
    guid: Uuid,
    /// The sector of the other one.
    other: u64,
    /// First and last sector for partitions.
    usable: (u64, u64),
    /// Where the entries start, how many there are, and their checksum.
    first: u64,
    count: u32,
    sum: u32,
}

/// A partition table that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionTable {
    /// The GUID of the disk.
    pub guid: Uuid,
    /// First and last sector for partitions.
    pub usable: (u64, u64),
    /// The partitions, by their numbers. They are inside the usable sectors, none reaches into another,
    /// and no two have the same GUID.
    pub partitions: Vec<FoundPartition>,
}

/// A partition that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundPartition {
    /// Its number: the first entry has 1, and entries may be empty.
    pub number: u32,
    /// Its name; what is no UTF-16 in it is replaced.
    pub name: String,
    /// Its type.
    pub partition_type: Uuid,
    /// Its GUID.
    pub guid: Uuid,
    /// Its attributes.
    pub attributes: u64,
    /// Byte of the disk at which it starts.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl FoundPartition {
    /// What it is for, if its type is one that is known.
    pub fn role(&self) -> Option<Role> {
        Role::of_type(self.partition_type)
    }
}

/// Little-endian numbers at places that the caller knows to be there.
fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    core::array::from_fn(|i| bytes[at + i])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(number(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(number(bytes, at))
}

/// Its own inverse.
fn guid_at(bytes: &[u8], at: usize) -> Uuid {
    Uuid(mixed_endian(Uuid(number(bytes, at))))
}

impl TableHeader {
    /// Reads sector number `own` of a disk of so many sectors.
    ///
    /// # Errors
    /// [`TableError`], of the header.
    pub fn parse(sector: &[u8], own: u64, sectors: u64) -> Result<Self, TableError> {
        if sector.len() < SECTOR as usize || &sector[..8] != b"EFI PART" {
            return Err(TableError::NoHeader);
        }
        let bytes = u32_at(sector, 12);
        if !(HEADER as u32..=SECTOR as u32).contains(&bytes) {
            return Err(TableError::HeaderLength { bytes });
        }
        let mut summed = sector[..bytes as usize].to_vec();
        summed[16..20].fill(0);
        if crc32(&summed) != u32_at(sector, 16) {
            return Err(TableError::HeaderChecksum);
        }
        let stated = u64_at(sector, 24);
        if stated != own {
            return Err(TableError::Place { stated, own });
        }
        let usable = (u64_at(sector, 40), u64_at(sector, 48));
        if usable.0 > usable.1 || usable.1 >= sectors {
            return Err(TableError::Usable { first: usable.0, last: usable.1, sectors });
        }
        let entry_bytes = u32_at(sector, 84);
        if entry_bytes != ENTRY as u32 {
            return Err(TableError::EntryLength { bytes: entry_bytes });
        }
        let count = u32_at(sector, 80);
        if count > MAX_ENTRIES {
            return Err(TableError::Entries { count, limit: MAX_ENTRIES });
        }
        let (guid, first, sum) = (guid_at(sector, 56), u64_at(sector, 72), u32_at(sector, 88));
        let header = Self { guid, other: u64_at(sector, 32), usable, first, count, sum };
        // The entries lie behind MBR and first header, inside the disk, not where partitions may
        // be, and not over this header.
        let end = first.saturating_add(header.bytes().div_ceil(SECTOR));
        let apart = end <= usable.0 || first > usable.1;
        match first < 2 || end > sectors || !apart || (first..end).contains(&own) {
            true => Err(TableError::EntriesPlace { first, end }),
            false => Ok(header),
        }
    }

    /// Length of the entries in bytes, at most a MiB.
    fn bytes(&self) -> u64 {
        u64::from(self.count) * ENTRY as u64
    }

    /// The bytes of the disk in which the entries are.
    pub fn entries(&self) -> Range<u64> {
        self.first * SECTOR..self.first * SECTOR + self.bytes()
    }

    /// The sector in which it says that the other header is.
    pub fn other(&self) -> u64 {
        self.other
    }

    /// Reads the entries.
    ///
    /// # Errors
    /// [`TableError`], of the entries.
    pub fn read(&self, entries: &[u8]) -> Result<PartitionTable, TableError> {
        if entries.len() as u64 != self.bytes() || crc32(entries) != self.sum {
            return Err(TableError::EntriesChecksum);
        }
        let mut partitions = Vec::new();
        for (index, entry) in entries.chunks_exact(ENTRY).enumerate() {
            if entry[..16].iter().all(|byte| *byte == 0) {
                continue;
            }
            partitions.push(self.partition(index as u32 + 1, entry)?);
        }
        let table = PartitionTable { guid: self.guid, usable: self.usable, partitions };
        table.check()?;
        Ok(table)
    }

    fn partition(&self, number: u32, entry: &[u8]) -> Result<FoundPartition, TableError> {
        let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
        if first > last || first < self.usable.0 || last > self.usable.1 {
            return Err(TableError::Outside { number, first, last });
        }
        let units = entry[56..].chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        let name = char::decode_utf16(units.take_while(|unit| *unit != 0));
        Ok(FoundPartition {
            number,
            name: name.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
            partition_type: guid_at(entry, 0),
            guid: guid_at(entry, 16),
            attributes: u64_at(entry, 48),
            offset: first.checked_mul(SECTOR).ok_or(TableError::Outside { number, first, last })?,
            bytes: (last - first + 1).checked_mul(SECTOR).ok_or(TableError::Outside {
                number,
                first,
                last,
            })?,
        })
    }
}

impl PartitionTable {
    fn check(&self) -> Result<(), TableError> {
        let mut sorted: Vec<_> = self.partitions.iter().collect();
        sorted.sort_by_key(|partition| partition.offset);
        for pair in sorted.windows(2) {
            if pair[1].offset - pair[0].offset < pair[0].bytes {
                return Err(TableError::Overlap { one: pair[0].number, two: pair[1].number });
            }
        }
        sorted.sort_by_key(|partition| partition.guid);
        for pair in sorted.windows(2) {
            if pair[0].guid == pair[1].guid {
                return Err(TableError::SameGuid { one: pair[0].number, two: pair[1].number });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
