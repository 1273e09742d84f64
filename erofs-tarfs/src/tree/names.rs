//! Names in the directories of a tree that grows: found, given, taken away.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::builder::Builder;
use super::error::Error;
use super::index::Vacancy;
use super::inode::{InodeId, NodeKind};
use super::model::{Link, NO_INODE};
use core::cmp::Ordering;

/// A name that a directory does not have.
enum Missing {
    /// It comes after all that the directory has.
    Last,
    /// It is not in the index, which is complete.
    At(Vacancy),
}

impl Builder {
    /// The link of a name, or what is known of where it would go.
    fn find_link(&mut self, dir: InodeId, name: &[u8]) -> Result<u32, Missing> {
        let tree = &self.tree;
        let inode = &tree.inodes[dir.index()];
        if inode.kind == NodeKind::Directory {
            let Some(last) = (inode.body as u32).checked_sub(1) else { return Err(Missing::Last) };
            match name.cmp(tree.name(&tree.links[last as usize])) {
                Ordering::Greater => return Err(Missing::Last),
                Ordering::Equal => return Ok(last),
                Ordering::Less => {}
            }
        }
        let count = tree.links.len() as u32;
        if self.indexed < count {
            self.index.extend(self.indexed..count, |link| {
                let link = &tree.links[link as usize];
                (link.parent, tree.name(link))
            });
            self.indexed = count;
        }
        let found = self.index.find(dir.0, name, |at| {
            let link = &tree.links[at as usize];
            link.parent == dir.0 && tree.name(link) == name
        });
        found.map_err(Missing::At)
    }

    /// The inode that has this name in a directory.
    ///
    /// Names that come in ascending order are found without an index of all names, which is made
    /// when it is first needed: hence `&mut`.
    pub fn lookup(&mut self, dir: InodeId, name: &[u8]) -> Option<InodeId> {
        let at = self.find_link(dir, name).ok()?;
        let inode = self.tree.links[at as usize].inode;
        (inode != NO_INODE).then_some(InodeId(inode))
    }

    /// The link that has this name in a directory, whether it names an inode or not.
    pub(super) fn link_of(&mut self, dir: InodeId, name: &[u8]) -> Option<Link> {
        let at = self.find_link(dir, name).ok()?;
        Some(self.tree.links[at as usize])
    }

    /// The name in a directory, made if need be.
    pub(super) fn link_mut(&mut self, dir: InodeId, name: &[u8]) -> Result<&mut Link, Error> {
        let at = match self.find_link(dir, name) {
            Ok(at) => at,
            Err(missing) => self.new_link(dir, name, missing)?,
        };
        Ok(&mut self.tree.links[at as usize])
    }

    fn new_link(&mut self, dir: InodeId, name: &[u8], missing: Missing) -> Result<u32, Error> {
        let at = u32::try_from(self.tree.links.len())
            .ok()
            .filter(|at| *at < u32::MAX - 1)
            .ok_or(Error::TooMany("names"))?;
        let start = u32::try_from(self.tree.names.len());
        let start = start.map_err(|_| Error::TooMany("bytes of names"))?;
        let name_len = u8::try_from(name.len()).map_err(|_| Error::TooMany("bytes in a name"))?;
        self.tree.names.extend_from_slice(name);
        self.tree.links.push(Link {
            parent: dir.0,
            inode: NO_INODE,
            name: start,
            name_len,
            flags: 0,
        });
        match missing {
            Missing::Last => self.tree.inodes[dir.index()].body = u64::from(at) + 1,
            Missing::At(vacancy) => {
                let tree = &self.tree;
                self.index.insert(vacancy, at, |link| {
                    let link = &tree.links[link as usize];
                    (link.parent, tree.name(link))
                });
                self.indexed = at.saturating_add(1);
            }
        }
        Ok(at)
    }

    /// Gives an inode a name, of 1 to 255 bytes, in a directory. What had the name loses it.
    ///
    /// # Errors
    /// [`Error::TooMany`] if the name has over 255 bytes; past 2^32 names, or 4 GiB of them.
    pub fn link(&mut self, dir: InodeId, name: &[u8], inode: InodeId) -> Result<(), Error> {
        let link = self.link_mut(dir, name)?;
        let old = core::mem::replace(&mut link.inode, inode.0);
        self.replaced |= old != NO_INODE && old != inode.0;
        Ok(())
    }

    /// Takes a name away, if it is there.
    pub fn unlink(&mut self, dir: InodeId, name: &[u8]) {
        if let Ok(at) = self.find_link(dir, name) {
            self.tree.links[at as usize].inode = NO_INODE;
            self.replaced = true;
        }
    }
}
