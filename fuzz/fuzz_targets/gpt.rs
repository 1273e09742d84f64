//! A partition table of hostile bytes: no panic, no memory in proportion to what it says, and what is
//! read of a disk is inside of it.
#![no_main]

use erofs_tarfs::outputs::{Gpt, Partition, TableHeader};
use erofs_tarfs_fuzz::sums;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let partition = Partition { identity: vec![1], bytes: 4096, ..Partition::default() };
    let gpt = Gpt::new(vec![partition], 4096).unwrap();
    let sectors = gpt.bytes() / 512;
    let mut disk = gpt.head();
    // Places and bytes to write there; then the checksums are made right.
    for edit in data.chunks_exact(3) {
        let at = 512 + usize::from(u16::from_le_bytes([edit[0], edit[1]])) % (disk.len() - 512);
        disk[at] = edit[2];
    }
    let entries = sums::crc32(&disk[1024..]);
    disk[512 + 88..512 + 92].copy_from_slice(&entries.to_le_bytes());
    let length = u32::from_le_bytes([disk[524], disk[525], disk[526], disk[527]]).min(512) as usize;
    disk[528..532].fill(0);
    let header = sums::crc32(&disk[512..512 + length]);
    disk[528..532].copy_from_slice(&header.to_le_bytes());
    let Ok(header) = TableHeader::parse(&disk[512..1024], 1, sectors) else { return };
    let range = header.entries();
    assert!(range.end <= gpt.bytes() && range.end - range.start <= 1 << 20);
    let end = (range.end as usize).min(disk.len());
    let Some(entries) = disk.get(range.start as usize..end) else { return };
    let Ok(table) = header.read(entries) else { return };
    for found in &table.partitions {
        assert!(found.bytes > 0 && found.offset + found.bytes <= gpt.bytes());
    }
});
