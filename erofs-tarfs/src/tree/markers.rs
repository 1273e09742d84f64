//! What whiteouts and opaque markers do in the layer that has them, once all of it is there.
//!
//! They hide what lower layers have. In their own layer they take away only what markers alone
//! have made: a marker's path has directories in it which no entry of the tar is in.

use super::builder::{Builder, IMPLIED_ATTRIBUTES, Node, What, XattrSet};
use super::error::Error;
use super::model::{Attributes, IMPLIED, InodeId, NO_INODE, NodeKind, OPAQUE, WHITED};
use alloc::vec;
use alloc::vec::Vec;

/// Turns marks into inodes: a whiteout, or a directory that hides the lower one.
pub(super) fn settle(builder: &mut Builder) -> Result<(), Error> {
    if needs_a_look(builder) {
        drop_marker_made(builder);
    }
    for at in 0..builder.tree.links.len() {
        let link = builder.tree.links[at];
        if link.flags & WHITED == 0 {
            continue;
        }
        if link.inode == NO_INODE {
            let id = builder.add(Node {
                attributes: Attributes { mode: 0, ..IMPLIED_ATTRIBUTES },
                xattrs: XattrSet::NONE,
                what: What::Whiteout,
            })?;
            builder.tree.links[at].inode = id.0;
        } else if builder.kind(InodeId(link.inode)) == NodeKind::Directory {
            // The lower directory is gone as a whole: this one's attributes are its own.
            builder.mark_opaque(InodeId(link.inode), true);
            builder.mark_implied(InodeId(link.inode), false);
        }
    }
    Ok(())
}

/// Whether a directory that no entry lists is whited out, or a directory is opaque.
fn needs_a_look(builder: &Builder) -> bool {
    let tree = &builder.tree;
    let implied = |inode: u32| tree.inodes[inode as usize].flags & IMPLIED != 0;
    let whited = |inode: u32, flags: u8| flags & WHITED != 0 && inode != NO_INODE;
    tree.links.iter().any(|link| whited(link.inode, link.flags) && implied(link.inode))
        || tree.inodes.iter().any(|inode| inode.flags & OPAQUE != 0)
}

/// Takes away directories that only markers have made, where a whiteout names them or a directory
/// above hides all of the lower layers: there is nothing that their markers could mark.
fn drop_marker_made(builder: &mut Builder) {
    let made = made_by_entries(builder);
    let tree = &mut builder.tree;
    // A directory is made after the one that it is in, so its number is higher.
    let mut order: Vec<u32> = (0..tree.links.len() as u32).collect();
    order.retain(|at| {
        let inode = tree.links[*at as usize].inode;
        inode != NO_INODE && tree.inodes[inode as usize].kind == NodeKind::Directory
    });
    order.sort_unstable_by_key(|at| tree.links[*at as usize].inode);
    // Directories in which nothing of the lower layers is seen.
    let mut alone: Vec<bool> = tree.inodes.iter().map(|inode| inode.flags & OPAQUE != 0).collect();
    for at in order {
        let link = &mut tree.links[at as usize];
        let (dir, parent) = (link.inode as usize, link.parent as usize);
        let whited = link.flags & WHITED != 0;
        if !made[dir] && (whited || alone[parent]) {
            link.inode = NO_INODE;
        }
        alone[dir] |= whited || alone[parent];
    }
}

/// For each inode whether it is an entry of the tar, or a directory that has one in it.
fn made_by_entries(builder: &Builder) -> Vec<bool> {
    let tree = &builder.tree;
    let mut made: Vec<bool> = tree
        .inodes
        .iter()
        .map(|inode| inode.kind != NodeKind::Directory || inode.flags & IMPLIED == 0)
        .collect();
    let mut parents = vec![NO_INODE; made.len()];
    for link in tree.links.iter().filter(|link| link.inode != NO_INODE) {
        if tree.inodes[link.inode as usize].kind == NodeKind::Directory {
            parents[link.inode as usize] = link.parent;
        } else {
            made[link.parent as usize] = true;
        }
    }
    // From the directories made last, which are the deepest.
    for dir in (0..made.len()).rev() {
        if made[dir] && parents[dir] != NO_INODE {
            made[parents[dir] as usize] = true;
        }
    }
    made
}
