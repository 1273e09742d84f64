//! Names in the directories of a tree that grows: found, given, taken away.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::builder::Builder;
use super::error::Error;
use super::index::Vacancy;
use super::inode::{InodeId, NodeKind};
use super::model::{Inode, Link, NO_INODE, SCATTERED, Tree, pack, unpack};
use core::cmp::Ordering;
use core::ops::Range;

/// A name that a directory does not have.
enum Missing {
    /// It comes after all that the directory has.
    Last,
    /// It comes before one that the directory has, whose names are in ascending order so far.
    Between,
    /// It is not in the index, which is complete.
    At(Vacancy),
}

/// The names of a directory while they are one behind the other, and in ascending order.
fn run(dir: &Inode) -> Option<Range<usize>> {
    let is_run = dir.kind == NodeKind::Directory && dir.flags & SCATTERED == 0;
    is_run.then(|| unpack(dir.body))
}

impl Builder {
    /// The link of a name, or what is known of where it would go.
    fn find_link(&mut self, dir: InodeId, name: &[u8]) -> Result<u32, Missing> {
        let tree = &self.tree;
        let inode = &tree.inodes[dir.index()];
        let run = run(inode);
        let last = match &run {
            Some(run) if run.is_empty() => return Err(Missing::Last),
            Some(run) => run.end as u64,
            None if inode.kind == NodeKind::Directory => inode.body,
            None => 0,
        };
        if let Some(last) = (last as u32).checked_sub(1) {
            match name.cmp(tree.name(&tree.links[last as usize])) {
                Ordering::Greater => return Err(Missing::Last),
                Ordering::Equal => return Ok(last),
                Ordering::Less => {}
            }
        }
        if let Some(run) = run {
            let found = tree.links[run.clone()].binary_search_by(|link| tree.name(link).cmp(name));
            return found
                .map(|at| run.start.saturating_add(at) as u32)
                .map_err(|_| Missing::Between);
        }
        self.complete();
        let tree = &self.tree;
        let found = self.index.find(dir.0, name, |at| {
            let link = &tree.links[at as usize];
            link.parent == dir.0 && tree.name(link) == name
        });
        found.map_err(Missing::At)
    }

    /// Puts all names into the index that belong there.
    fn complete(&mut self) {
        let count = self.tree.links.len() as u32;
        let run_at =
            |tree: &Tree, at: u32| run(&tree.inodes[tree.links[at as usize].parent as usize]);
        while self.indexed < count {
            let start = self.indexed;
            match run_at(&self.tree, start) {
                // It is somewhere in that.
                Some(run) => self.indexed = (run.end as u32).max(start.saturating_add(1)),
                None => {
                    let is_run = |at: &u32| run_at(&self.tree, *at).is_some();
                    let end = (start..count).find(is_run).unwrap_or(count);
                    self.add_to_index(start..end);
                    self.indexed = end;
                }
            }
        }
    }

    fn add_to_index(&mut self, links: Range<u32>) {
        let tree = &self.tree;
        self.index.extend(links, |link| {
            let link = &tree.links[link as usize];
            (link.parent, tree.name(link))
        });
    }

    /// From now on the names of a directory are found by the index.
    fn scatter(&mut self, dir: InodeId) {
        let inode = &mut self.tree.inodes[dir.index()];
        let Some(run) = run(inode) else { return };
        inode.flags |= SCATTERED;
        inode.body = run.end as u64;
        // Those behind that come when it is completed.
        self.add_to_index(run.start as u32..self.indexed.clamp(run.start as u32, run.end as u32));
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
            Err(Missing::Between) => {
                self.scatter(dir);
                return self.link_mut(dir, name);
            }
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
            Missing::Last | Missing::Between => self.append(dir, at),
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

    /// Notes that the name at a position is the last of a directory.
    fn append(&mut self, dir: InodeId, at: u32) {
        let inode = &mut self.tree.inodes[dir.index()];
        match run(inode) {
            Some(run) if run.is_empty() => inode.body = pack(at as usize, 1),
            Some(run) if run.end == at as usize => {
                inode.body = pack(run.start, run.len().saturating_add(1));
            }
            run => {
                if run.is_some() {
                    self.scatter(dir);
                }
                self.tree.inodes[dir.index()].body = u64::from(at).saturating_add(1);
            }
        }
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
