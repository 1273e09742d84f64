//! How long the parts of a table are.

use crate::outputs::SECTOR;

/// Bytes of an entry.
pub(super) const ENTRY: usize = 128;
/// The fewest entries that a table has room for.
const MIN_ENTRIES: usize = 128;
/// Bytes of a header.
pub(super) const HEADER: usize = 92;

/// Sectors that the entries of so many partitions take.
pub(super) fn entries_sectors(partitions: usize) -> u64 {
    let bytes = (partitions.max(MIN_ENTRIES) * ENTRY) as u64;
    bytes.div_ceil(SECTOR)
}
