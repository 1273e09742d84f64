//! The block area: directories, symbolic links and what trees carry.

use super::inodes::shape;
use super::stream::Stream;
use crate::format::Dirent;
use crate::layout::{Data, DirectoryEntry, Face, Layout, Pieces};
use crate::tree::{Body, Place};
use alloc::vec::Vec;
use zerocopy::{FromZeros, IntoBytes};

/// Writes the blocks of all items in the order of their inodes.
pub(super) fn write<E, S: FnMut(&[u8]) -> Result<(), E>>(
    layout: &Layout<'_>,
    out: &mut Stream<'_, S>,
) -> Result<(), E> {
    let block = u64::from(layout.block_size().bytes());
    for item in &layout.order {
        // Most items need nothing in the block area. For these that is told by their type alone,
        // which costs less than their shape.
        match layout.scene.face(*item) {
            Face::Special(_) | Face::Regular { size: 0, .. } => continue,
            Face::Regular { body: Body::Contiguous(Place::Device { .. }), .. } => continue,
            _ => {}
        }
        let shape = shape(layout, *item);
        if shape.blocks == 0 {
            continue;
        }
        let end = out.position() + shape.blocks * block;
        match layout.scene.face(*item) {
            Face::Directory => {
                let whole = if shape.data == Data::Inline { shape.blocks } else { u64::MAX };
                Directory::new(layout, *item).blocks(whole, out)?;
            }
            Face::Symlink(target) => {
                let len = (shape.blocks * block).min(target.len() as u64);
                out.put(&target[..len as usize])?;
            }
            Face::Regular { size, body } => {
                for piece in Pieces::new(size, body) {
                    if let Place::Carried(at) = piece.place {
                        out.put(layout.scene.tree.carried(at, piece.len))?;
                        out.pad(out.position().next_multiple_of(block))?;
                    }
                }
            }
            Face::Special(_) => {}
        }
        out.pad(end)?;
    }
    Ok(())
}

/// A directory with all its entries, as they are written.
#[derive(Debug)]
pub(super) struct Directory<'a, 't> {
    layout: &'a Layout<'t>,
    dir: u32,
    names: Vec<u8>,
    /// nid, type and length of the name.
    entries: Vec<(u64, u8, u8)>,
}

impl<'a, 't> Directory<'a, 't> {
    pub(super) fn new(layout: &'a Layout<'t>, dir: u32) -> Self {
        // Room for all entries (children, `.` and `..`) and for names of 16 bytes on average, which
        // is more than most have: so the buffers need not grow step by step.
        let count = layout.scene.tree.children(layout.scene.owner(dir)).len() + 2;
        let (mut names, mut entries) = (Vec::with_capacity(16 * count), Vec::with_capacity(count));
        layout.scene.entries(dir, |name, entry| {
            let item = match entry {
                DirectoryEntry::Own => dir,
                DirectoryEntry::Parent => layout.parents[dir as usize],
                DirectoryEntry::Child(item) => item,
            };
            names.extend_from_slice(name);
            let kind = layout.scene.file_type(item) as u8;
            entries.push((layout.nid(item), kind, name.len() as u8));
        });
        Self { layout, dir, names, entries }
    }

    /// Calls `each` with the bytes of blocks, without what fills them up: of those which `wanted`
    /// wants, told their number and whether they are the last.
    fn each<E>(
        &self,
        wanted: impl Fn(u64, bool) -> bool,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let block = self.layout.block_size().bytes() as usize;
        let (mut entries, mut names) = (&self.entries[..], &self.names[..]);
        let mut bytes = Vec::with_capacity(block);
        for number in 0.. {
            if entries.is_empty() {
                break;
            }
            let (mut used, mut count, mut text) = (0, 0, 0);
            for (_, _, len) in entries {
                let need = size_of::<Dirent>() + usize::from(*len);
                if used + need > block {
                    break;
                }
                (used, count, text) = (used + need, count + 1, text + usize::from(*len));
            }
            let (now, later) = entries.split_at(count);
            let (text, later_names) = names.split_at(text);
            (entries, names) = (later, later_names);
            if !wanted(number, later.is_empty()) {
                continue;
            }
            bytes.clear();
            let mut offset = count * size_of::<Dirent>();
            for (nid, kind, len) in now {
                let mut dirent = Dirent::new_zeroed();
                dirent.nid.set(*nid);
                dirent.nameoff.set(offset as u16);
                dirent.file_type = *kind;
                bytes.extend_from_slice(dirent.as_bytes());
                offset += usize::from(*len);
            }
            bytes.extend_from_slice(text);
            each(&bytes)?;
        }
        Ok(())
    }

    /// Writes the first `count` blocks, each but the last filled up.
    fn blocks<E, S: FnMut(&[u8]) -> Result<(), E>>(
        &self,
        count: u64,
        out: &mut Stream<'_, S>,
    ) -> Result<(), E> {
        let block = u64::from(self.layout.block_size().bytes());
        let wanted = |number, _| number < count;
        self.each(wanted, |bytes| {
            out.pad(out.position().next_multiple_of(block))?;
            out.put(bytes)
        })
    }

    /// Appends the last block, the one behind the inode.
    pub(super) fn tail(&self, out: &mut Vec<u8>) {
        let done: Result<(), core::convert::Infallible> = self.each(
            |_, last| last,
            |bytes| {
                out.extend_from_slice(bytes);
                Ok(())
            },
        );
        debug_assert!(done.is_ok(), "{}", self.dir);
    }
}
