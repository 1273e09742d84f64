//! The bytes of a table.

use super::Gpt;
use super::crc32::crc32;
use super::guid::mixed_endian;
use super::sizes::{ENTRY, HEADER};
use crate::outputs::SECTOR;
use alloc::vec;
use alloc::vec::Vec;

impl Gpt {
    /// What lies at the beginning of the disk: protective MBR, header, entries.
    pub fn head(&self) -> Vec<u8> {
        let mut bytes = protective_mbr(self.sectors);
        let entries = entries(self);
        bytes.extend(header(self, &entries, 1, self.sectors - 1, 2));
        bytes.extend(entries);
        bytes
    }

    /// What lies at its end: entries, header.
    pub fn tail(&self) -> Vec<u8> {
        let mut bytes = entries(self);
        let last = self.sectors - 1;
        let header = header(self, &bytes, last, 1, last - self.entries);
        bytes.extend(header);
        bytes
    }
}

/// The protective MBR: to programs that know no GPT it says that all of the disk is taken.
fn protective_mbr(sectors: u64) -> Vec<u8> {
    let mut mbr = vec![0; SECTOR as usize];
    let behind = u32::try_from(sectors - 1).unwrap_or(u32::MAX);
    // From head 0, sector 2 of cylinder 0; type EE; to the end, which is too far to tell.
    mbr[447..454].copy_from_slice(&[0, 2, 0, 0xee, 0xff, 0xff, 0xff]);
    mbr[454..458].copy_from_slice(&1u32.to_le_bytes());
    mbr[458..462].copy_from_slice(&behind.to_le_bytes());
    mbr[510..].copy_from_slice(&[0x55, 0xaa]);
    mbr
}

/// A header in sector `own`; the other is in sector `other`, its entries from sector `first` on.
fn header(gpt: &Gpt, entries: &[u8], own: u64, other: u64, first: u64) -> Vec<u8> {
    let mut header = Vec::with_capacity(SECTOR as usize);
    header.extend(b"EFI PART");
    header.extend(0x0001_0000u32.to_le_bytes());
    header.extend((HEADER as u32).to_le_bytes());
    header.extend([0; 8]); // its checksum, and nothing
    header.extend(own.to_le_bytes());
    header.extend(other.to_le_bytes());
    header.extend((2 + gpt.entries).to_le_bytes()); // first sector for partitions
    header.extend((gpt.sectors - gpt.entries - 2).to_le_bytes()); // last
    header.extend(mixed_endian(gpt.guid));
    header.extend(first.to_le_bytes());
    header.extend(((entries.len() / ENTRY) as u32).to_le_bytes());
    header.extend((ENTRY as u32).to_le_bytes());
    header.extend(crc32(entries).to_le_bytes());
    debug_assert_eq!(header.len(), HEADER);
    let sum = crc32(&header);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
    header.resize(SECTOR as usize, 0);
    header
}

fn entries(gpt: &Gpt) -> Vec<u8> {
    let mut bytes = vec![0; (gpt.entries * SECTOR) as usize];
    for (entry, partition) in bytes.chunks_exact_mut(ENTRY).zip(&gpt.partitions) {
        let first = partition.offset / SECTOR;
        let last = first + partition.bytes / SECTOR - 1;
        entry[..16].copy_from_slice(&mixed_endian(partition.role.partition_type()));
        entry[16..32].copy_from_slice(&mixed_endian(partition.guid));
        entry[32..40].copy_from_slice(&first.to_le_bytes());
        entry[40..48].copy_from_slice(&last.to_le_bytes());
        entry[48..56].copy_from_slice(&partition.role.attributes().to_le_bytes());
        for (unit, room) in partition.name.encode_utf16().zip(entry[56..].chunks_exact_mut(2)) {
            room.copy_from_slice(&unit.to_le_bytes());
        }
    }
    bytes
}
