//! Flat data: consecutive blocks, perhaps with a tail behind the inode.

use super::{Error, Image, Inode, Rule, StoredPlace};
use crate::format::DataLayout;
use crate::tree::NodeKind;
use alloc::borrow::Cow;

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
                size - self.block_offset(before)
            }
            DataLayout::CompressedFull | DataLayout::CompressedCompact => {
                return Err(inode.fault(inode.offset(), Rule::Uncompressed));
            }
            DataLayout::ChunkBased => {
                return Err(inode.fault(inode.offset(), Rule::PlainMetadata));
            }
        };
        let at = inode.payload();
        let block = u64::from(self.block_size.bytes());
        if at % block + tail_len > block {
            return Err(inode.fault(at, Rule::TailInBlock));
        }
        self.slice_of(inode, at, tail_len)?;
        Ok(Flat { blocks_len: size - tail_len, tail: (at, tail_len) })
    }

    /// The data of a directory or symbolic link: what lies in blocks, and the tail.
    pub(super) fn metadata(&self, inode: &Inode) -> Result<(&'a [u8], &'a [u8]), Error> {
        let flat = self.flat(inode)?;
        let tail = self.slice_of(inode, flat.tail.0, flat.tail.1)?;
        if flat.blocks_len == 0 {
            return Ok((&[], tail));
        }
        let source = inode.start().map(|block| self.unified(block)).transpose()?;
        let Some(StoredPlace::Primary { offset }) = source else {
            return Err(inode.fault(inode.offset(), Rule::PlainMetadata));
        };
        Ok((self.slice_of(inode, offset, flat.blocks_len)?, tail))
    }

    /// The target of a symbolic link.
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
        let target = match self.metadata(inode)? {
            (blocks, []) => Cow::Borrowed(blocks),
            ([], tail) => Cow::Borrowed(tail),
            (blocks, tail) => Cow::Owned([blocks, tail].concat()),
        };
        if target.contains(&0) { Err(fault(Rule::LinkTarget)) } else { Ok(target) }
    }
}
