//! What most inodes have alike: mode, owner and extended attributes, kept once for all that have it.

use super::inode::Attributes;
use alloc::vec;
use alloc::vec::Vec;

/// Mode, owner, and the index of the xattr set plus one, or 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) xattrs: u32,
    pub(crate) mode: u16,
}

impl Access {
    pub(super) fn new(attributes: Attributes, xattrs: u32) -> Self {
        let Attributes { mode, uid, gid, .. } = attributes;
        Self { uid, gid, xattrs, mode }
    }

    fn hash(self) -> u32 {
        [self.uid, self.gid, self.xattrs, self.mode.into()]
            .iter()
            .fold(0, |hash: u32, part| (hash.rotate_left(5) ^ part).wrapping_mul(0x9E37_79B9))
    }
}

const SLOTS: usize = 256;
/// How many there may be beyond two for each inode before those are dropped that no inode has any more:
/// so dropping costs little.
const SPARE: usize = 1024;

/// For each hash the last that had it. Two with one hash push each other out, which costs what not knowing
/// them costs: so it needs no secret seed.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Vec<u32>);

impl Known {
    /// The number of what an inode is to have, added to all that is there unless it is found. `numbers` are
    /// those that inodes have, so many of them.
    pub(super) fn number<'i>(
        &mut self,
        all: &mut Vec<Access>,
        numbers: impl ExactSizeIterator<Item = &'i mut u32>,
        wanted: Access,
    ) -> u32 {
        if self.0.is_empty() {
            self.0 = vec![u32::MAX; SLOTS];
        }
        let most = numbers.len().saturating_mul(2).saturating_add(SPARE).min(u32::MAX as usize);
        if all.len() >= most {
            drop_unused(all, numbers);
            self.0.fill(u32::MAX);
        }
        #[expect(clippy::indexing_slicing, reason = "there are as many slots as a hash can name")]
        let slot = &mut self.0[(wanted.hash() >> 24) as usize % SLOTS];
        if all.get(*slot as usize) != Some(&wanted) {
            // What is left is at most one for each inode, and those have 32 bits.
            *slot = all.len() as u32;
            all.push(wanted);
        }
        *slot
    }
}

/// Drops what no inode has: an inode's may have been set many times.
fn drop_unused<'i>(all: &mut Vec<Access>, numbers: impl Iterator<Item = &'i mut u32>) {
    let mut used = Vec::new();
    let mut renumbered = vec![u32::MAX; all.len()];
    for number in numbers {
        if let Some(new) = renumbered.get_mut(*number as usize) {
            if *new == u32::MAX {
                *new = used.len() as u32;
                used.extend(all.get(*number as usize));
            }
            *number = *new;
        }
    }
    *all = used;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Builder, InodeId, Node, What, XattrSet};

    /// However often attributes are set, and whatever collides, each inode has its own.
    #[test]
    fn each_inode_has_what_it_was_given_last() {
        let mut builder = Builder::new();
        let attributes =
            |n: u32| Attributes { mode: 0o600, uid: n, gid: n ^ 7, ..Attributes::default() };
        let ids: Vec<InodeId> = (0..100)
            .map(|n| {
                let what = What::Fifo;
                let node = Node { attributes: attributes(n), xattrs: XattrSet::NONE, what };
                let id = builder.add(node).unwrap();
                builder.link(InodeId::ROOT, format!("{n}").as_bytes(), id).unwrap();
                id
            })
            .collect();
        for round in 0..300 {
            for (n, id) in (0..).zip(&ids) {
                builder.set(*id, attributes(n * 1000 + round), XattrSet::NONE);
            }
        }
        assert!(builder.tree.access.len() <= 2 * 101 + SPARE, "{}", builder.tree.access.len());
        let tree = builder.finish().unwrap();
        for n in 0..100 {
            let id = tree.lookup(format!("{n}").as_bytes()).unwrap();
            assert_eq!(tree.attributes(id), attributes(n * 1000 + 299));
        }
    }

    #[test]
    fn what_many_have_is_kept_once() {
        let mut builder = Builder::new();
        for n in 0..10_000 {
            let attributes = Attributes { mode: 0o644, uid: n % 3, ..Attributes::default() };
            builder.add(Node { attributes, xattrs: XattrSet::NONE, what: What::Fifo }).unwrap();
        }
        assert_eq!(builder.tree.access.len(), 4); // the root's too
    }
}
