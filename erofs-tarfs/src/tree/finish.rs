//! From what a builder has gathered to a tree.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::body::Place;
use super::builder::Builder;
use super::error::Error;
use super::inode::NodeKind;
use super::model::{Inode, Link, NO_INODE, PIECES, Tree, pack, unpack};
use super::rearrange::rearrange;
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
        by_directory(&mut tree);
        let Tree { inodes, links, names, .. } = &mut tree;
        let name = |link: &Link| &names[link.name as usize..][..usize::from(link.name_len)];

        // Breadth first from the root: new numbers for inodes, links in the order of their directories.
        let mut number = vec![NO_INODE; inodes.len()];
        let mut order = Vec::with_capacity(inodes.len());
        let mut kept: Vec<u32> = Vec::with_capacity(links.len());
        order.push(root);
        number[root as usize] = 0;
        let mut next = 0_usize;
        while let Some(old) = order.get(next).copied() {
            if inodes[old as usize].kind == NodeKind::Directory {
                let range = unpack(inodes[old as usize].body);
                let first = kept.len();
                kept.extend(range.clone().map(|at| at as u32));
                let children = &mut links[range];
                // Any way to sort compares each two neighbours of the result: so two equal names are
                // noticed while sorting.
                let mut twice = None;
                children.sort_unstable_by(|a, b| {
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
                for link in children {
                    let child = link.inode as usize;
                    if number[child] == NO_INODE {
                        number[child] = order.len() as u32;
                        order.push(link.inode);
                        inodes[child].nlink = 0;
                    }
                    if inodes[child].kind == NodeKind::Directory {
                        subdirectories = subdirectories.saturating_add(1);
                    } else {
                        let nlink = &mut inodes[child].nlink;
                        *nlink = nlink.saturating_add(1);
                    }
                    link.parent = next as u32;
                    link.inode = number[child];
                }
                let inode = &mut inodes[old as usize];
                inode.nlink = subdirectories.saturating_add(2);
                inode.body = pack(first, kept.len().saturating_sub(first));
            }
            next = next.saturating_add(1);
        }
        // What is left goes behind, and is cut off.
        let (reachable, named) = (order.len(), kept.len());
        for (old, inode) in (0..).zip(&*inodes).filter(|(old, _)| number[*old as usize] == NO_INODE)
        {
            order.push(old);
            if inode.kind == NodeKind::Directory {
                kept.extend(unpack(inode.body).map(|at| at as u32));
            }
        }
        drop(number);
        rearrange(links, kept);
        links.truncate(named);
        rearrange(inodes, order);
        inodes.truncate(reachable);
        inodes.shrink_to_fit();
        links.shrink_to_fit();
        names.shrink_to_fit();
        if !keep_devices {
            drop_devices(&mut tree);
        }
        Ok(tree)
    }
}

/// Drops names that name nothing, or are in no directory, and sorts the others by directory, in linear time
/// and in place. Each directory's `body` is then their range.
fn by_directory(tree: &mut Tree) {
    let Tree { inodes, links, .. } = tree;
    let is_directory = |inode: &Inode| inode.kind == NodeKind::Directory;
    links.retain(|link| link.inode != NO_INODE && is_directory(&inodes[link.parent as usize]));
    inodes.iter_mut().filter(|inode| is_directory(inode)).for_each(|inode| inode.body = 0);
    for link in &*links {
        let count = &mut inodes[link.parent as usize].body;
        *count = count.saturating_add(1);
    }
    // First where the next of its names goes, and the end of them.
    let mut end = 0_usize;
    for inode in inodes.iter_mut().filter(|inode| is_directory(inode)) {
        let start = end;
        end = end.saturating_add(inode.body as usize);
        inode.body = pack(start, end);
    }
    // A name that is not where it belongs changes places with the one that is in its way: so each is
    // brought to its place once.
    for dir in 0..inodes.len() {
        if !is_directory(&inodes[dir]) {
            continue;
        }
        while let Some(at) = next_and_end(&inodes[dir]).next() {
            let parent = &mut inodes[links[at].parent as usize];
            let place = next_and_end(parent);
            parent.body = pack(place.start.saturating_add(1), place.end);
            if place.start != at {
                links.swap(at, place.start);
            }
        }
    }
    let mut start = 0_usize;
    for inode in inodes.iter_mut().filter(|inode| is_directory(inode)) {
        let end = next_and_end(inode).end;
        inode.body = pack(start, end.saturating_sub(start));
        start = end;
    }
}

/// What a directory's `body` says while its names are sorted.
fn next_and_end(dir: &Inode) -> core::ops::Range<usize> {
    dir.body as u32 as usize..(dir.body >> 32) as usize
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
