//! Partitions: to be placed, and placed.

use super::Role;
use crate::verity::Uuid;
use alloc::string::String;
use alloc::vec::Vec;

/// A disk that is to be a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// Its name: at most 36 UTF-16 units.
    pub name: String,
    /// What tells its content from others: a root hash, or a digest. Its GUID follows from it.
    pub identity: Vec<u8>,
    /// Length in bytes: whole sectors of 512.
    pub bytes: u64,
    /// What it is for.
    pub role: Role,
}

/// Where a partition is, and what it is called.
///
/// ```
/// use erofs_tarfs::outputs::{Gpt, Partition};
///
/// let part = |name: &str, bytes| Partition { name: name.into(), bytes, ..Partition::default() };
/// let gpt = Gpt::new(vec![part("base", 8192), part("app", 4096)], Gpt::ALIGN)?;
/// let app = &gpt.partitions()[1];
/// assert_eq!((&app.name[..], app.offset, app.bytes), ("app", 2 << 20, 4096)); // bytes
/// # Ok::<(), erofs_tarfs::outputs::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placed {
    /// Its name.
    pub name: String,
    /// Its GUID.
    pub guid: Uuid,
    /// What it is for.
    pub role: Role,
    /// Byte of the disk at which it starts.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}
