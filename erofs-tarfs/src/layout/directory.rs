//! The entries of a directory, and how many bytes they take.

use super::scene::{OPAQUE, Scene, join};
use super::{Error, WhiteoutForm};
use crate::format::{Dirent, FileType};
use crate::tree::{InodeId, NodeKind};
use alloc::vec::Vec;

const WHITEOUT: &[u8] = b".wh.";
/// The longest name in bytes.
const MAX_NAME: usize = 255;

/// What an entry of a directory refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    /// `.`
    Own,
    /// `..`
    Parent,
    /// An item.
    Child(u32),
}

impl Scene<'_> {
    /// Calls `entry` for each entry of a directory, `.` and `..` too, in ascending byte order.
    pub(crate) fn entries(&self, dir: u32, mut entry: impl FnMut(&[u8], Entry)) {
        let mut dots: &[(&[u8], Entry)] = &[(b".", Entry::Own), (b"..", Entry::Parent)];
        let mut put = |name: &[u8], item| {
            while let Some(((dot, refers), rest)) = dots.split_first()
                && *dot < name
            {
                entry(dot, *refers);
                dots = rest;
            }
            entry(name, Entry::Child(item));
        };
        if self.renames(dir) {
            self.renamed(dir).iter().for_each(|(name, item)| put(name, *item));
        } else {
            self.tree.children(InodeId(dir)).for_each(|(name, child)| put(name, child.0));
        }
        dots.iter().for_each(|(dot, refers)| entry(dot, *refers));
    }

    fn renames(&self, dir: u32) -> bool {
        self.whiteouts == WhiteoutForm::Aufs
            && (self.holds_whiteouts(dir) || self.marker(dir).is_some())
    }

    /// Names and items of a directory in aufs' form.
    fn renamed(&self, dir: u32) -> Vec<(Vec<u8>, u32)> {
        let name_of = |name: &[u8], child| match self.tree.kind(child) {
            NodeKind::Whiteout => [WHITEOUT, name].concat(),
            _ => name.to_vec(),
        };
        let children = self.tree.children(InodeId(dir));
        let mut names: Vec<_> = children.map(|(n, child)| (name_of(n, child), child.0)).collect();
        names.extend(self.marker(dir).map(|item| (OPAQUE.to_vec(), item)));
        names.sort_unstable();
        names
    }

    /// Length in bytes of a directory.
    pub(super) fn directory_bytes(&self, dir: u32) -> Result<u64, Error> {
        if self.renames(dir) {
            self.check_names(dir)?;
        }
        let block = self.block.bytes() as usize;
        let (mut full, mut used) = (0u64, 0);
        self.entries(dir, |name, _| {
            let need = size_of::<Dirent>() + name.len();
            if used + need > block {
                full += 1;
                used = 0;
            }
            used += need;
        });
        Ok(full * block as u64 + used as u64)
    }

    fn check_names(&self, dir: u32) -> Result<(), Error> {
        let names = self.renamed(dir);
        let path = |name| join(self.path(dir), name);
        if let Some((name, _)) = names.iter().find(|(name, _)| name.len() > MAX_NAME) {
            let (bytes, limit) = (name.len() as u64, MAX_NAME as u64);
            return Err(Error::NameTooLong { path: path(name), bytes, limit });
        }
        match names.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(Error::NameTwice { path: path(&pair[0].0) }),
            None => Ok(()),
        }
    }

    /// The type of an item as directories give it.
    pub(crate) fn file_type(&self, item: u32) -> FileType {
        if self.is_marker(item) {
            return FileType::Regular;
        }
        match self.tree.kind(InodeId(item)) {
            NodeKind::Regular | NodeKind::PendingLink => FileType::Regular,
            NodeKind::Directory => FileType::Directory,
            NodeKind::Symlink => FileType::Symlink,
            NodeKind::CharDevice => FileType::CharDevice,
            NodeKind::BlockDevice => FileType::BlockDevice,
            NodeKind::Fifo => FileType::Fifo,
            NodeKind::Socket => FileType::Socket,
            NodeKind::Whiteout => match self.whiteouts {
                WhiteoutForm::Overlayfs => FileType::CharDevice,
                WhiteoutForm::Aufs => FileType::Regular,
            },
        }
    }
}
