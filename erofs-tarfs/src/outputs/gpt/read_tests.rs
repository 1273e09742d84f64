//! Tables that we write are read, and none of hostile bytes.

use super::super::{Architecture, Gpt, Partition, Volume};
use super::*;
use alloc::{format, vec};

/// A disk with three partitions, the second without a name.
fn gpt() -> Gpt {
    let amd64 = Architecture::named("amd64").unwrap();
    let partition = |name: &str, byte, bytes, role| Partition {
        name: name.into(),
        identity: (0..32u8).map(|at| byte + at).collect(),
        bytes,
        role,
    };
    let partitions = vec![
        partition("ä 𝄞", 1, 4096, Role::Data),
        partition("", 2, 512, Role::Volume(Volume::Root, amd64)),
        partition("tree", 2, 8192, Role::Tree(Volume::Root, amd64)),
    ];
    Gpt::new(partitions, 4096).unwrap()
}

const SECTORS: usize = SECTOR as usize;

/// Both tables of a disk, as bytes: header and entries each.
struct Ends {
    sectors: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Ends {
    fn new() -> Self {
        let gpt = gpt();
        Self { sectors: gpt.bytes() / SECTOR, head: gpt.head(), tail: gpt.tail() }
    }

    fn first(&self) -> Result<PartitionTable, TableError> {
        let header = TableHeader::parse(&self.head[SECTORS..], 1, self.sectors)?;
        let entries = header.entries();
        let end = (entries.end as usize).min(self.head.len());
        header.read(&self.head[(entries.start as usize).min(end)..end])
    }

    /// Writes into the first header and sets its checksum.
    fn header(&mut self, at: usize, bytes: &[u8]) {
        let header = &mut self.head[SECTORS..2 * SECTORS];
        header[at..at + bytes.len()].copy_from_slice(bytes);
        header[16..20].fill(0);
        let sum = crc32(&header[..92]);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
    }

    /// Writes into an entry and sets both checksums.
    fn entry(&mut self, number: usize, at: usize, bytes: &[u8]) {
        let start = 2 * SECTORS + (number - 1) * ENTRY + at;
        self.head[start..start + bytes.len()].copy_from_slice(bytes);
        let sum = crc32(&self.head[2 * SECTORS..]);
        self.header(88, &sum.to_le_bytes());
    }
}

#[test]
fn both_tables_say_what_was_written() {
    let (gpt, ends) = (gpt(), Ends::new());
    let table = ends.first().unwrap();
    assert_eq!(table.guid, gpt.guid());
    assert_eq!(table.partitions.len(), 3);
    for (index, (found, placed)) in table.partitions.iter().zip(gpt.partitions()).enumerate() {
        assert_eq!(found.number as usize, index + 1);
        assert_eq!((&found.name, found.guid), (&placed.name, placed.guid));
        assert_eq!((found.offset, found.bytes), (placed.offset, placed.bytes));
        assert_eq!(found.role(), Some(placed.role));
        assert_eq!(found.attributes, if index == 0 { 0 } else { 1 << 60 });
    }
    let last = ends.sectors - 1;
    let header = &ends.tail[ends.tail.len() - SECTORS..];
    let second = TableHeader::parse(header, last, ends.sectors).unwrap();
    assert_eq!(second.other(), 1);
    let entries = second.entries();
    assert_eq!(entries.end, last * SECTOR);
    assert_eq!(second.read(&ends.tail[..ends.tail.len() - SECTORS]).unwrap(), table);
}

#[test]
fn any_byte_of_header_and_entries_counts() {
    // Behind the header's own length nothing is said; of the entries, some.
    let (header, entries) = (SECTORS..SECTORS + 92, (2 * SECTORS..Ends::new().head.len()));
    assert!(Ends::new().first().is_ok());
    for at in header.chain(entries.step_by(61)) {
        let mut ends = Ends::new();
        ends.head[at] ^= 1;
        assert!(ends.first().is_err(), "byte {at}");
    }
}

#[test]
fn headers_that_say_what_cannot_be() {
    let max = u64::MAX.to_le_bytes();
    let sectors = Ends::new().sectors;
    type Wrong = fn(&TableError) -> bool;
    let rows: &[(usize, &[u8], Wrong)] = &[
        (0, b"EFI part", |error| *error == TableError::NoHeader),
        (12, &[91, 0], |error| *error == TableError::HeaderLength { bytes: 91 }),
        (12, &[1, 2], |error| *error == TableError::HeaderLength { bytes: 513 }),
        (12, &max[..4], |error| *error == TableError::HeaderLength { bytes: u32::MAX }),
        (24, &[2], |error| *error == TableError::Place { stated: 2, own: 1 }),
        (40, &max, |error| matches!(error, TableError::Usable { .. })),
        (48, &sectors.to_le_bytes(), |error| matches!(error, TableError::Usable { .. })),
        (48, &max, |error| matches!(error, TableError::Usable { .. })),
        (72, &[0], |error| matches!(error, TableError::EntriesPlace { .. })),
        (72, &[1], |error| matches!(error, TableError::EntriesPlace { .. })),
        (72, &[33], |error| matches!(error, TableError::EntriesPlace { .. })),
        (72, &max, |error| matches!(error, TableError::EntriesPlace { .. })),
        (80, &[129], |error| matches!(error, TableError::EntriesPlace { .. })),
        (80, &[1, 32], |error| *error == TableError::Entries { count: 8193, limit: 8192 }),
        (80, &max[..4], |error| matches!(error, TableError::Entries { .. })),
        (80, &[127], |error| *error == TableError::EntriesChecksum),
        (84, &[0], |error| *error == TableError::EntryLength { bytes: 0 }),
        (84, &[0, 1], |error| *error == TableError::EntryLength { bytes: 256 }),
        (84, &max[..4], |error| matches!(error, TableError::EntryLength { .. })),
        (88, &[0, 0, 0, 0], |error| *error == TableError::EntriesChecksum),
    ];
    for (at, bytes, wrong) in rows {
        let mut ends = Ends::new();
        ends.header(*at, bytes);
        let error = ends.first().unwrap_err();
        assert!(wrong(&error), "byte {at}: {error:?}");
        assert!(!format!("{error}").is_empty());
    }
    let mut ends = Ends::new();
    ends.head[SECTORS + 16] ^= 1;
    assert_eq!(ends.first(), Err(TableError::HeaderChecksum));
    assert_eq!(TableHeader::parse(b"EFI PART", 1, 99), Err(TableError::NoHeader));
}

#[test]
fn entries_that_say_what_cannot_be() {
    let second = gpt().partitions()[1].clone();
    let (first, max) = ((second.offset / SECTOR).to_le_bytes(), u64::MAX.to_le_bytes());
    let outside = |error: &TableError| matches!(error, TableError::Outside { number: 1, .. });
    type Row<'a> = (usize, usize, &'a [u8], &'a dyn Fn(&TableError) -> bool);
    let rows: [Row<'_>; 8] = [
        (1, 32, &[0], &outside),
        (1, 32, &[33], &outside),
        (1, 32, &max, &outside),
        (1, 40, &[0], &outside),
        (1, 40, &max, &outside),
        // Backwards.
        (1, 40, &[39], &outside),
        (1, 40, &first, &|error| *error == TableError::Overlap { one: 1, two: 2 }),
        (1, 16, &mixed_endian(second.guid), &|error| {
            *error == TableError::SameGuid { one: 1, two: 2 }
                || *error == TableError::SameGuid { one: 2, two: 1 }
        }),
    ];
    for (number, at, bytes, wrong) in rows {
        let mut ends = Ends::new();
        ends.entry(number, at, bytes);
        let error = ends.first().unwrap_err();
        assert!(wrong(&error), "entry {number}, byte {at}: {error:?}");
    }
}

#[test]
fn entries_may_be_empty_and_types_unknown() {
    let mut ends = Ends::new();
    ends.entry(2, 0, &[0; 16]);
    ends.entry(1, 0, &[7; 16]);
    // Half of a pair is no character.
    ends.entry(1, 56, &[0x34, 0xd8, b'a', 0, 0, 0]);
    let table = ends.first().unwrap();
    let numbers: Vec<_> = table.partitions.iter().map(|found| found.number).collect();
    assert_eq!(numbers, [1, 3]);
    assert_eq!(table.partitions[0].role(), None);
    assert_eq!(table.partitions[0].name, "\u{fffd}a");
}
