//! From what a builder has gathered to a tree.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::body::Place;
use super::builder::Builder;
use super::error::Error;
use super::inode::NodeKind;
use super::model::{Inode, Link, NO_INODE, PIECES, SCATTERED, Tree, pack, unpack};
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
        let mut scattered = by_directory(&mut tree);
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
            let dir = inodes[old as usize];
            if dir.kind == NodeKind::Directory {
                let (first, range) = (kept.len(), unpack(dir.body));
                if dir.flags & SCATTERED == 0 {
                    kept.extend(range.map(|at| at as u32));
                } else {
                    let children = &mut scattered[range];
                    // Any way to sort compares each two neighbours of the result: so two equal names are
                    // noticed while sorting.
                    let mut twice = None;
                    children.sort_unstable_by(|a, b| {
                        let (a, b) = (&links[*a as usize], &links[*b as usize]);
                        let order = name(a).cmp(name(b));
                        if order.is_eq() {
                            twice = Some(*a);
                        }
                        order
                    });
                    if let Some(link) = twice {
                        return Err(Error::NameTwice { name: name(&link).to_vec() });
                    }
                    kept.extend_from_slice(children);
                }
                let mut subdirectories = 0_u32;
                for at in &kept[first..] {
                    let link = &mut links[*at as usize];
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
                inode.flags &= !SCATTERED;
            }
            next = next.saturating_add(1);
        }
        // What is left goes behind, and is cut off.
        let (reachable, named) = (order.len(), kept.len());
        for (old, inode) in (0..).zip(&*inodes).filter(|(old, _)| number[*old as usize] == NO_INODE)
        {
            order.push(old);
            match unpack(inode.body) {
                _ if inode.kind != NodeKind::Directory => {}
                range if inode.flags & SCATTERED == 0 => kept.extend(range.map(|at| at as u32)),
                range => kept.extend_from_slice(&scattered[range]),
            }
        }
        drop((number, scattered));
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

/// Drops names that name nothing, or are in no directory. Each directory's `body` is then the range of its names, or
/// if they are scattered that of their positions in what is returned, in no order.
fn by_directory(tree: &mut Tree) -> Vec<u32> {
    let Tree { inodes, links, .. } = tree;
    let is_directory = |inode: &Inode| inode.kind == NodeKind::Directory;
    links.retain(|link| link.inode != NO_INODE && is_directory(&inodes[link.parent as usize]));
    inodes.iter_mut().filter(|inode| is_directory(inode)).for_each(|inode| inode.body = 0);
    for (at, link) in links.iter().enumerate() {
        let dir = &mut inodes[link.parent as usize];
        let names = unpack(dir.body);
        let start = if names.is_empty() { at } else { names.start };
        dir.body = pack(start, names.len().saturating_add(1));
    }
    // Where the first name of each scattered one goes, and then the next.
    let mut end = 0_usize;
    let is_scattered = |inode: &Inode| is_directory(inode) && inode.flags & SCATTERED != 0;
    for dir in inodes.iter_mut().filter(|inode| is_scattered(inode)) {
        let count = unpack(dir.body).len();
        dir.body = pack(end, 0);
        end = end.saturating_add(count);
    }
    let mut scattered = vec![0; end];
    if end > 0 {
        for (at, link) in (0..).zip(&*links) {
            let dir = &mut inodes[link.parent as usize];
            if dir.flags & SCATTERED != 0 {
                let names = unpack(dir.body);
                scattered[names.end] = at;
                dir.body = pack(names.start, names.len().saturating_add(1));
            }
        }
    }
    scattered
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
