//! What an image may cost: metadata that overlaps is read again and again.

use super::{Error, Inode, Rule};

/// Bytes of each kind of metadata that are left to read.
///
/// In an image as writers make them nothing overlaps, so each kind is smaller than the image.
/// Xattrs alone may be shared.
#[derive(Clone)]
pub(super) struct Budget {
    directories: u64,
    targets: u64,
    tails: u64,
    chunk_tables: u64,
    pub(super) xattrs: u64,
}

/// A kind of metadata.
#[derive(Clone, Copy)]
pub(super) enum Cost {
    Directory,
    Target,
    Tail,
    ChunkTable,
}

impl Budget {
    /// What an image of `len` bytes may cost.
    pub(super) fn new(len: u64) -> Self {
        Self {
            directories: len,
            targets: len,
            tails: len,
            chunk_tables: len,
            xattrs: len.saturating_mul(16).saturating_add(16 << 20),
        }
    }

    /// Takes `bytes` on behalf of an inode.
    pub(super) fn take(&mut self, inode: &Inode, cost: Cost, bytes: u64) -> Result<(), Error> {
        let left = match cost {
            Cost::Directory => &mut self.directories,
            Cost::Target => &mut self.targets,
            Cost::Tail => &mut self.tails,
            Cost::ChunkTable => &mut self.chunk_tables,
        };
        *left =
            left.checked_sub(bytes).ok_or_else(|| inode.fault(inode.offset(), Rule::Overlap))?;
        Ok(())
    }
}
