//! What an image may cost: metadata that overlaps is read again and again.

use super::source::Bytes;
use super::{Error, Inode, Rule};

/// Most bytes of each kind that are read of an image that is not in memory.
pub(super) const READ: u64 = 1 << 28;

/// Bytes of each kind of metadata that are left to read.
///
/// In an image as writers make them nothing overlaps, so each kind is smaller than the image.
/// Xattrs alone may be shared.
#[derive(Clone)]
pub(super) struct Budget {
    /// The rule that what costs more breaks.
    rule: Rule,
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
    /// What an image may cost. One in memory costs no more than in proportion to its length. That of one that
    /// is read says little, as a sparse file is as long as anybody wants: so it has a limit too.
    pub(super) fn new(bytes: Bytes<'_>) -> Self {
        let (rule, len) = match bytes {
            Bytes::Memory(bytes) => (Rule::Overlap, bytes.len() as u64),
            Bytes::Reader { len, .. } if len <= READ => (Rule::Overlap, len),
            Bytes::Reader { .. } => (Rule::TooMuchRead, READ),
        };
        Self {
            rule,
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
        *left = left.checked_sub(bytes).ok_or_else(|| inode.fault(inode.offset(), self.rule))?;
        Ok(())
    }
}
