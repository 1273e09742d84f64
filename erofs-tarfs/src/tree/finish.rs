//! From what a builder has gathered to a tree.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::body::Place;
use super::builder::Builder;
use super::error::Error;
use super::inode::NodeKind;
use super::model::{Link, NO_INODE, PIECES, Tree, pack, unpack};
use alloc::vec;
use alloc::vec::Vec;

impl Builder {
    /// The tree: children sorted, what has no name left out, links counted.
    ///
    /// Inodes are numbered from the root down, level by level, in the order of their names, so a
    /// tree does not depend on the order in which it was made.
    ///
    /// # Errors
    /// [`Error::NameTwice`], which would be a fault of this library.
    pub fn finish(self) -> Result<Tree, Error> {
        let Self { mut tree, index, root, keep_devices, .. } = self;
        drop(index);
        let starts = by_directory(&mut tree);
        let names = core::mem::take(&mut tree.names);
        let name = |link: &Link| &names[link.name as usize..][..usize::from(link.name_len)];
        let links = core::mem::take(&mut tree.links);

        // Breadth first from the root: new numbers for inodes, links in the order of their directories.
        let mut number = vec![NO_INODE; tree.inodes.len()];
        let mut order = vec![root];
        let mut kept: Vec<Link> = Vec::with_capacity(links.len());
        number[root as usize] = 0;
        let mut next = 0_usize;
        while let Some(old) = order.get(next).copied() {
            if tree.inodes[old as usize].kind == NodeKind::Directory {
                let range = starts[old as usize] as usize
                    ..starts[(old as usize).saturating_add(1)] as usize;
                let first = kept.len();
                kept.extend(links[range].iter().filter(|link| link.inode != NO_INODE));
                // Any way to sort compares each two neighbours of the result: so two equal names are
                // noticed while sorting.
                let mut twice = None;
                kept[first..].sort_by(|a, b| {
                    let order = name(a).cmp(name(b));
                    if order.is_eq() {
                        twice = Some(*a);
                    }
                    order
                });
                if let Some(link) = twice {
                    return Err(Error::NameTwice { name: name(&link).to_vec() });
                }
                let mut subdirectories = 0_u32;
                for link in &mut kept[first..] {
                    let child = link.inode as usize;
                    if number[child] == NO_INODE {
                        number[child] = order.len() as u32;
                        order.push(link.inode);
                        tree.inodes[child].nlink = 0;
                    }
                    if tree.inodes[child].kind == NodeKind::Directory {
                        subdirectories = subdirectories.saturating_add(1);
                    } else {
                        let nlink = &mut tree.inodes[child].nlink;
                        *nlink = nlink.saturating_add(1);
                    }
                    link.parent = next as u32;
                    link.inode = number[child];
                }
                let inode = &mut tree.inodes[old as usize];
                inode.nlink = subdirectories.saturating_add(2);
                inode.body = pack(first, kept.len().saturating_sub(first));
            }
            next = next.saturating_add(1);
        }
        drop((links, starts));
        let reachable = order.len();
        let unreachable = (0..).zip(&number).filter(|(_, number)| **number == NO_INODE);
        order.extend(unreachable.map(|(old, _)| old));
        drop(number);
        renumber(&mut tree, order);
        tree.inodes.truncate(reachable);
        tree.inodes.shrink_to_fit();
        tree.links = kept;
        tree.names = names;
        if !keep_devices {
            drop_devices(&mut tree);
        }
        Ok(tree)
    }
}

/// Brings every inode to its number, in place: the `n`th of `order`, which has all, to `n`.
///
/// Inodes that take each other's places form cycles. One of a cycle is taken out, the others move
/// up one by one, and it goes to the last place. Swapping would be simpler, but there each copy
/// waits for the one before, which takes several times as long.
fn renumber(tree: &mut Tree, mut order: Vec<u32>) {
    for start in 0..order.len() {
        if order[start] as usize == start {
            continue;
        }
        let first = tree.inodes[start];
        let mut hole = start;
        loop {
            let from = core::mem::replace(&mut order[hole], hole as u32) as usize;
            if from == start {
                break;
            }
            tree.inodes[hole] = tree.inodes[from];
            hole = from;
        }
        tree.inodes[hole] = first;
    }
}

/// Sorts links by directory, in linear time; where each directory's start.
fn by_directory(tree: &mut Tree) -> Vec<u32> {
    let mut starts = vec![0u32; tree.inodes.len().saturating_add(1)];
    for link in &tree.links {
        let count = &mut starts[(link.parent as usize).saturating_add(1)];
        *count = count.saturating_add(1);
    }
    let mut sum = 0_u32;
    for start in &mut starts {
        sum = sum.saturating_add(*start);
        *start = sum;
    }
    let mut next = starts.clone();
    let mut sorted = tree.links.clone();
    for link in &tree.links {
        let at = &mut next[link.parent as usize];
        sorted[*at as usize] = *link;
        *at = at.saturating_add(1);
    }
    tree.links = sorted;
    starts
}

/// Drops the devices in which no file has any bytes.
fn drop_devices(tree: &mut Tree) {
    let mut used = vec![false; tree.devices.len()];
    for inode in &tree.inodes {
        if inode.kind != NodeKind::Regular {
            continue;
        }
        if inode.flags & PIECES == 0 {
            if inode.size > 0 {
                mark(&mut used, inode.device);
            }
        } else {
            for extent in &tree.extents[unpack(inode.body)] {
                if let Place::Device { device, .. } = extent.place {
                    mark(&mut used, device);
                }
            }
        }
    }
    if used.iter().all(|used| *used) {
        return;
    }
    let mut renumber = vec![0u16; used.len()];
    let mut count = 0_u16;
    for (new, used) in renumber.iter_mut().zip(&used) {
        *new = count;
        count = count.saturating_add(u16::from(*used));
    }
    let mut keep = used.iter();
    tree.devices.retain(|_| keep.next().copied().unwrap_or(false));
    let mut keep = used.iter();
    tree.origins.retain(|_| keep.next().copied().unwrap_or(false));
    for inode in &mut tree.inodes {
        if inode.kind == NodeKind::Regular && inode.flags & PIECES == 0 {
            inode.device = renumber.get(usize::from(inode.device)).copied().unwrap_or(0);
        }
    }
    for extent in &mut tree.extents {
        if let Place::Device { device, .. } = &mut extent.place {
            *device = renumber.get(usize::from(*device)).copied().unwrap_or(0);
        }
    }
}

fn mark(used: &mut [bool], device: u16) {
    if let Some(used) = used.get_mut(usize::from(device)) {
        *used = true;
    }
}
