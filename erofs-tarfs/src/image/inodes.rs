//! The inode area: inodes, their extended attributes, chunk tables and tails.

use super::directory::Directory;
use super::shape::shape;
use super::stream::Stream;
use super::xattrs;
use crate::format::{
    ChunkFormat, ChunkIndex, CompactInode, DataLayout, ExtendedInode, Format, HOLE, IMPLIED_MARK,
};
use crate::layout::{Data, Face, Layout, Pieces, Shape, chunks};
use crate::tree::{NodeKind, Place};
use alloc::vec::Vec;
use zerocopy::{FromZeros, IntoBytes};

const S_IFIFO: u16 = 0o010_000;
const S_IFCHR: u16 = 0o020_000;
const S_IFDIR: u16 = 0o040_000;
const S_IFBLK: u16 = 0o060_000;
const S_IFREG: u16 = 0o100_000;
const S_IFLNK: u16 = 0o120_000;
const S_IFSOCK: u16 = 0o140_000;

/// Writes all inodes in the order of their places.
pub(super) fn write<E, S: FnMut(&[u8]) -> Result<(), E>>(
    layout: &Layout<'_>,
    out: &mut Stream<'_, S>,
) -> Result<(), E> {
    let mut block = layout.block_area >> layout.block_size().bits();
    let mut bytes = Vec::new();
    for (serial, item) in layout.order.iter().enumerate() {
        let shape = shape(layout, *item);
        out.pad(layout.inode_offset(*item))?;
        bytes.clear();
        inode(layout, *item, &shape, serial as u32 + 1, block, &mut bytes);
        block += shape.blocks;
        out.put(&bytes)?;
    }
    xattrs::shared(layout, out)?;
    out.pad(layout.block_area)
}

fn inode(
    layout: &Layout<'_>,
    item: u32,
    shape: &Shape,
    serial: u32,
    block: u64,
    out: &mut Vec<u8>,
) {
    let scene = &layout.scene;
    let face = scene.face(item);
    let bits = layout.block_size().bits();
    let (data, word) = match (shape.data, face) {
        (Data::None, Face::Special(device)) => (DataLayout::FlatPlain, device),
        (Data::None, _) => (DataLayout::FlatPlain, 0),
        (Data::Inline, _) if shape.blocks == 0 => (DataLayout::FlatInline, u32::MAX),
        (Data::Inline, _) => (DataLayout::FlatInline, block as u32),
        (Data::Blocks, _) => (DataLayout::FlatPlain, block as u32),
        (Data::Chunks(table), _) if table.indexes => {
            (DataLayout::ChunkBased, ChunkFormat::indexes(table.shift).0)
        }
        (Data::Chunks(table), _) => (DataLayout::ChunkBased, ChunkFormat::block_map(table.shift).0),
        (Data::Unified { device, offset }, _) => {
            let start = layout.devices()[usize::from(device)].uniaddr
                + ((scene.bases[usize::from(device)] + offset) >> bits);
            (DataLayout::FlatPlain, start as u32)
        }
    };
    let attributes = scene.attributes(item);
    let icount = shape.xattr_bytes.checked_sub(12).map_or(0, |rest| rest / 4 + 1) as u16;
    let mode = attributes.mode | file_type(layout, item, face);
    let format = Format::new(shape.extended, data).0;
    let implied = !scene.is_marker(item)
        && matches!(face, Face::Directory)
        && scene.tree.is_implied(scene.owner(item));
    let reserved = if implied { IMPLIED_MARK } else { 0 };
    if shape.extended {
        let mut inode = ExtendedInode::new_zeroed();
        inode.format.set(format);
        inode.xattr_icount.set(icount);
        inode.mode.set(mode);
        inode.size_lo.set(shape.size as u32);
        inode.size_hi.set((shape.size >> 32) as u32);
        inode.u.set(word);
        inode.ino.set(serial);
        inode.uid.set(attributes.uid);
        inode.gid.set(attributes.gid);
        inode.mtime.set(attributes.mtime.secs);
        inode.mtime_nsec.set(attributes.mtime.nanos);
        inode.nlink.set(scene.nlink(item));
        inode.reserved.set(reserved);
        out.extend_from_slice(inode.as_bytes());
    } else {
        let mut inode = CompactInode::new_zeroed();
        inode.format.set(format);
        inode.xattr_icount.set(icount);
        inode.mode.set(mode);
        inode.nb.set(scene.nlink(item) as u16);
        inode.size.set(shape.size as u32);
        #[expect(
            clippy::expect_used,
            reason = "a layout is made by `plan` alone, which asked this of each inode"
        )]
        inode.mtime.set(scene.epoch.seconds(attributes.mtime).expect("the plan made it compact"));
        inode.u.set(word);
        inode.ino.set(serial);
        inode.uid.set(attributes.uid as u16);
        inode.gid.set(attributes.gid as u16);
        inode.reserved.set(reserved);
        out.extend_from_slice(inode.as_bytes());
    }
    if shape.xattr_bytes > 0 {
        xattrs::body(layout, item, out);
    }
    debug_assert_eq!(out.len() as u64, shape.lead());
    match (shape.data, face) {
        (Data::Chunks(table), Face::Regular { size, body }) => {
            out.resize(out.len().next_multiple_of(table.entry() as usize), 0);
            chunks(scene, table, Pieces::new(size, body), block, |place| {
                let mut index = ChunkIndex::new_zeroed();
                let (device, start) = match place {
                    None => (0, HOLE),
                    // To readers a disk is one device: its blocks are counted from its start.
                    Some((id, at)) if id > 0 && layout.is_disk() => {
                        (0, (layout.devices()[usize::from(id) - 1].uniaddr + at) as u32)
                    }
                    Some((id, at)) => (id, at as u32),
                };
                index.device_id.set(device);
                index.startblk_lo.set(start);
                let entry = index.as_bytes();
                // A table without indexes has the block numbers alone: the last 4 bytes of 8.
                out.extend_from_slice(if table.indexes { entry } else { &entry[4..] });
            });
        }
        (Data::Inline, Face::Symlink(target)) => {
            out.extend_from_slice(&target[(shape.blocks << bits) as usize..]);
        }
        (Data::Inline, Face::Regular { size, body }) => {
            for piece in Pieces::new(size, body) {
                if let Place::Carried(at) = piece.place {
                    out.extend_from_slice(scene.tree.carried(at, piece.len));
                }
            }
        }
        (Data::Inline, _) => Directory::new(layout, item).tail(out),
        _ => {}
    }
}

fn file_type(layout: &Layout<'_>, item: u32, face: Face<'_>) -> u16 {
    match face {
        Face::Directory => S_IFDIR,
        Face::Symlink(_) => S_IFLNK,
        Face::Regular { .. } => S_IFREG,
        Face::Special(_) => match layout.scene.tree.kind(layout.scene.owner(item)) {
            NodeKind::BlockDevice => S_IFBLK,
            NodeKind::Fifo => S_IFIFO,
            NodeKind::Socket => S_IFSOCK,
            _ => S_IFCHR,
        },
    }
}
