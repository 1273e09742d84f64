//! The form of one item: which inode, which data layout, how many bytes.

use super::body::Chunks;
use super::scene::Scene;
use super::{Error, WhiteoutForm};
use crate::format::{CompactInode, ExtendedInode};
use crate::tree::{Attributes, Body, Content, NodeKind, Place};
use alloc::vec::Vec;

/// The longest target of a symbolic link in bytes: `PATH_MAX` and its NUL.
const MAX_TARGET: u64 = 4095;

/// What an item is in the image, once whiteouts have the form that the caller chose.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Face<'t> {
    Directory,
    Symlink(&'t [u8]),
    Regular {
        size: u64,
        body: Body<'t>,
    },
    /// Device, FIFO or socket: with the device number as stored.
    Special(u32),
}

/// Where an item's data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// Nowhere: there is none.
    None,
    /// Blocks in the block area, with a last one that is not full behind the inode.
    Inline,
    /// Blocks in the block area.
    Blocks,
    /// A chunk table behind the inode.
    Chunks(Chunks),
    /// At this byte of this device, referred to by unified address.
    Unified { device: u16, offset: u64 },
}

/// The measures of an item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) extended: bool,
    pub(crate) xattr_bytes: u32,
    pub(crate) size: u64,
    pub(crate) data: Data,
    /// Blocks it takes in the block area.
    pub(crate) blocks: u64,
    /// Whether inode and tail must lie in one block: symbolic links, which kernels before 6.12
    /// refuse otherwise.
    pub(crate) together: bool,
}

impl Shape {
    /// Bytes of inode and extended attributes.
    pub(crate) fn lead(&self) -> u64 {
        let inode =
            if self.extended { size_of::<ExtendedInode>() } else { size_of::<CompactInode>() };
        inode as u64 + u64::from(self.xattr_bytes)
    }

    /// Bytes of the tail behind the inode, for blocks of `block` bytes.
    pub(crate) fn tail(&self, block: u64) -> u64 {
        if self.data == Data::Inline { self.size % block } else { 0 }
    }

    /// Bytes in the inode area, filling apart.
    pub(crate) fn bytes(&self, block: u64) -> u64 {
        match self.data {
            Data::Chunks(chunks) => self.lead().next_multiple_of(chunks.entry()) + chunks.bytes(),
            _ => self.lead() + self.tail(block),
        }
    }
}

impl<'t> Scene<'t> {
    pub(crate) fn face(&self, item: u32) -> Face<'t> {
        let empty = Face::Regular { size: 0, body: Body::Extents(&[]) };
        if self.is_marker(item) {
            return empty;
        }
        let id = self.owner(item);
        match self.tree.content(id) {
            Content::Directory => Face::Directory,
            Content::Regular { size, body } => Face::Regular { size, body },
            Content::Target(target) => Face::Symlink(target),
            Content::Device(number) => Face::Special(number.encode()),
            Content::Nothing => match (self.tree.kind(id), self.whiteouts) {
                (NodeKind::Whiteout, WhiteoutForm::Aufs) => empty,
                _ => Face::Special(0),
            },
        }
    }

    /// Attributes as written: whiteouts and marks have no permissions.
    pub(crate) fn attributes(&self, item: u32) -> Attributes {
        let id = self.owner(item);
        let mut attributes = self.tree.attributes(id);
        if self.is_marker(item) || self.tree.kind(id) == NodeKind::Whiteout {
            attributes.mode = 0;
        }
        attributes
    }

    pub(crate) fn nlink(&self, item: u32) -> u32 {
        if self.is_marker(item) { 1 } else { self.tree.nlink(self.owner(item)) }
    }

    /// Measures an item, and checks all that may be wrong with it alone.
    pub(crate) fn shape(&self, item: u32) -> Result<Shape, Error> {
        let block = u64::from(self.block.bytes());
        let (mut blocks, mut data, mut together) = (0, Data::None, false);
        let face = self.face(item);
        let size = match face {
            Face::Directory => self.directory_bytes(item)?,
            Face::Symlink(target) => {
                self.check_target(item, target)?;
                together = true;
                target.len() as u64
            }
            Face::Regular { size, .. } => size,
            Face::Special(_) => 0,
        };
        let extended = self.needs_extended(item, size);
        let xattr_bytes = self.xattr_bytes(item)?;
        let mut shape = Shape { extended, xattr_bytes, size, data, blocks, together };
        match face {
            Face::Regular { size: 0, .. } | Face::Special(_) => {}
            Face::Regular { size, body: Body::Contiguous(Place::Device { device, offset }) }
                if self.is_unified(size, device, offset) =>
            {
                data = Data::Unified { device, offset };
            }
            Face::Regular { size, body } => {
                let cut = self.cut(item, size, body)?;
                blocks = cut.carried_blocks;
                let place = cut.contiguous.filter(|_| self.plain);
                data = match place {
                    Some(Place::Device { device, offset }) => Data::Unified { device, offset },
                    Some(Place::Carried(_))
                        if size < block && shape.lead() % 32 + size <= block =>
                    {
                        blocks = 0;
                        Data::Inline
                    }
                    Some(Place::Carried(_)) => Data::Blocks,
                    None => Data::Chunks(cut.chunks),
                };
            }
            Face::Directory | Face::Symlink(_) => {
                let (lead, tail) = (shape.lead(), size % block);
                // Whether there is a slot from which on the tail fits its block. The best one is
                // the start of a block or, where the tail may be in another block than the inode,
                // the one that lets the tail begin in the first 32 bytes of a block.
                let before = if together { lead } else { lead % 32 };
                let inline = tail != 0 && before + tail <= block;
                data = if inline { Data::Inline } else { Data::Blocks };
                blocks = if inline { size / block } else { self.block.blocks(size) };
            }
        }
        shape.data = data;
        shape.blocks = blocks;
        Ok(shape)
    }

    /// Whether a file in one piece of a device is sound and needs no chunk table. Most are, and
    /// this costs less than cutting them into chunks.
    fn is_unified(&self, size: u64, device: u16, offset: u64) -> bool {
        let limit = self.tree.devices().get(usize::from(device)).map_or(0, |device| device.bytes);
        self.plain
            && size <= i64::MAX as u64
            && self.block.divides(offset)
            && offset.checked_add(size).is_some_and(|end| end <= limit)
    }

    fn needs_extended(&self, item: u32, size: u64) -> bool {
        let attributes = self.attributes(item);
        let short = |value: u32| value <= u16::MAX.into();
        self.epoch.seconds(attributes.mtime).is_none()
            || !short(attributes.uid)
            || !short(attributes.gid)
            || !short(self.nlink(item))
            || size > u32::MAX.into()
    }

    fn check_target(&self, item: u32, target: &[u8]) -> Result<(), Error> {
        let path = || -> Vec<u8> { self.path(item) };
        if self.tree.kind(self.owner(item)) == NodeKind::PendingLink {
            return Err(Error::PendingHardLink { path: path(), target: target.to_vec() });
        }
        let bytes = target.len() as u64;
        if bytes > MAX_TARGET {
            return Err(Error::TargetTooLong { path: path(), bytes, limit: MAX_TARGET });
        }
        Ok(())
    }
}
