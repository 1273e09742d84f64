//! What whiteouts and opaque markers do in the layer that has them, once all of it is there.
//!
//! They hide what lower layers have. In their own layer they take away only what markers alone
//! have made: a marker's path has directories in it which no entry of the tar is in.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::builder::{Builder, IMPLIED_ATTRIBUTES, Node, What, XattrSet};
use super::error::Error;
use super::inode::{Attributes, InodeId, NodeKind};
use super::model::{IMPLIED, Link, NO_INODE, OPAQUE, Tree, WHITED};
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
            // The whiteout removes the lower directory, its attributes too: so this directory hides
            // all that was in it, and keeps its own attributes.
            builder.mark_opaque(InodeId(link.inode), true);
            builder.mark_implied(InodeId(link.inode), false);
        }
    }
    Ok(())
}

/// Whether a name that is there is whited out too, or a directory is opaque: what lower layers have
/// is hidden below it.
fn needs_a_look(builder: &Builder) -> bool {
    let tree = &builder.tree;
    tree.links.iter().any(|link| link.flags & WHITED != 0 && link.inode != NO_INODE)
        || tree.inodes.iter().any(|inode| inode.flags & OPAQUE != 0)
}

/// Takes away directories that only markers have made, where a whiteout names them or a directory
/// above hides all of the lower layers: there is nothing that their markers could mark.
fn drop_marker_made(builder: &mut Builder) {
    let order = from_the_root(&builder.tree);
    let tree = &mut builder.tree;
    let made = made_by_entries(tree, &order);
    // For each directory, whether all that lower layers have in it is hidden.
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

/// The links of all directories but the root, in such an order that each comes after the link of
/// the directory that it is in.
fn from_the_root(tree: &Tree) -> Vec<u32> {
    let is_dir = |link: &Link| {
        link.inode != NO_INODE && tree.inodes[link.inode as usize].kind == NodeKind::Directory
    };
    let links = || (0..).zip(&tree.links).filter(|(_, link)| is_dir(link));
    let mut parents = vec![NO_INODE; tree.inodes.len()];
    for (_, link) in links() {
        parents[link.inode as usize] = link.parent;
    }
    // How many directories are above each; 0 of the root, and of those not looked at yet.
    let mut depths = vec![0u32; tree.inodes.len()];
    let mut way = Vec::new();
    for (_, link) in links() {
        let mut at = link.inode;
        while depths[at as usize] == 0 && parents[at as usize] != NO_INODE {
            way.push(at);
            at = parents[at as usize];
        }
        let mut depth = depths[at as usize];
        while let Some(dir) = way.pop() {
            depth = depth.saturating_add(1);
            depths[dir as usize] = depth;
        }
    }
    let mut order: Vec<u32> = links().map(|(at, _)| at).collect();
    order.sort_unstable_by_key(|at| depths[tree.links[*at as usize].inode as usize]);
    order
}

/// For each inode whether an entry of the tar made it, or it is a directory with such an inode
/// somewhere below it.
fn made_by_entries(tree: &Tree, order: &[u32]) -> Vec<bool> {
    let mut made: Vec<bool> = tree
        .inodes
        .iter()
        .map(|inode| inode.kind != NodeKind::Directory || inode.flags & IMPLIED == 0)
        .collect();
    for link in tree.links.iter().filter(|link| link.inode != NO_INODE) {
        if tree.inodes[link.inode as usize].kind != NodeKind::Directory {
            made[link.parent as usize] = true;
        }
    }
    // The deepest directories first, so that what is known of one reaches all above it.
    for at in order.iter().rev() {
        let link = &tree.links[*at as usize];
        if made[link.inode as usize] {
            made[link.parent as usize] = true;
        }
    }
    made
}
