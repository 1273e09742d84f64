//! Directories: their entries in blocks, and the last block behind the inode.

use super::stream::Stream;
use crate::format::Dirent;
use crate::layout::{DirectoryEntry, Layout};
use alloc::vec::Vec;
use zerocopy::{FromZeros, IntoBytes};

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
    pub(super) fn blocks<E, S: FnMut(&[u8]) -> Result<(), E>>(
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
