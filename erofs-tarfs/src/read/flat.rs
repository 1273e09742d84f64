//! Flat data: consecutive blocks, perhaps with a tail behind the inode.

use super::{Error, Image, Inode, Rule, StoredPlace};
use crate::format::DataLayout;
use crate::tree::NodeKind;
use alloc::borrow::Cow;
use core::ops::Range;

/// Most bytes of a symbolic link's target: `PATH_MAX` without the NUL.
const MAX_TARGET: u64 = 4095;

/// Where the data of a flat inode lies.
pub(super) struct Flat {
    /// How many bytes of the data lie in blocks. The last block need not be full.
    pub(super) blocks_len: u64,
    /// Byte offset and length of the tail in the image.
    pub(super) tail: (u64, u64),
}

impl<'a> Image<'a> {
    /// Splits the data of a flat inode in blocks and tail. The tail is checked, the blocks aren't.
    pub(super) fn flat(&self, inode: &Inode) -> Result<Flat, Error> {
        let size = inode.size();
        let tail_len = match inode.layout() {
            DataLayout::FlatPlain => 0,
            DataLayout::FlatInline => {
                let before = self.block_size.blocks(size).saturating_sub(1);
                size.saturating_sub(self.block_offset(before))
            }
            DataLayout::CompressedFull | DataLayout::CompressedCompact => {
                return Err(inode.fault(inode.offset(), Rule::Uncompressed));
            }
            DataLayout::ChunkBased => {
                return Err(inode.fault(inode.offset(), Rule::PlainMetadata));
            }
        };
        let at = inode.payload();
        let room = u64::from(self.block_size.bytes()).saturating_sub(self.block_size.rest(at));
        if tail_len > room {
            return Err(inode.fault(at, Rule::TailInBlock));
        }
        if !self.bytes.has(at, tail_len) {
            return Err(inode.fault(at, Rule::WithinImage));
        }
        Ok(Flat { blocks_len: size.saturating_sub(tail_len), tail: (at, tail_len) })
    }

    /// Where the blocks of a directory or symbolic link lie: bytes of the image, all of them there.
    pub(super) fn blocks_of(&self, inode: &Inode, flat: &Flat) -> Result<Range<u64>, Error> {
        if flat.blocks_len == 0 {
            return Ok(0..0);
        }
        let source = inode.start().map(|block| self.unified(block)).transpose()?;
        let Some(StoredPlace::Primary { offset }) = source else {
            return Err(inode.fault(inode.offset(), Rule::PlainMetadata));
        };
        match self.bytes.has(offset, flat.blocks_len) {
            true => Ok(offset..offset.saturating_add(flat.blocks_len)),
            false => Err(inode.fault(offset, Rule::WithinImage)),
        }
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// [`Error::Inode`]: [`Rule::WrongType`] of what is no symbolic link, else what is wrong with it; [`Error::Read`].
    pub fn read_link(&self, nid: u64) -> Result<Cow<'a, [u8]>, Error> {
        self.target(&self.inode(nid)?)
    }

    pub(super) fn target(&self, inode: &Inode) -> Result<Cow<'a, [u8]>, Error> {
        let fault = |rule| inode.fault(inode.offset(), rule);
        if inode.kind() != NodeKind::Symlink {
            return Err(fault(Rule::WrongType));
        }
        if !(1..=MAX_TARGET).contains(&inode.size()) {
            return Err(fault(Rule::LinkTarget));
        }
        let flat = self.flat(inode)?;
        let blocks = self.blocks_of(inode, &flat)?;
        let blocks = self.slice_of(inode, blocks.start, flat.blocks_len)?;
        let tail = self.slice_of(inode, flat.tail.0, flat.tail.1)?;
        let target = match (blocks.len(), tail.len()) {
            (_, 0) => blocks,
            (0, _) => tail,
            _ => Cow::Owned([blocks, tail].concat()),
        };
        if target.contains(&0) { Err(fault(Rule::LinkTarget)) } else { Ok(target) }
    }
}
