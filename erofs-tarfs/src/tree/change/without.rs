//! Names left out of a tree.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use crate::tree::builder::Builder;
use crate::tree::error::Error;
use crate::tree::inode::{InodeId, NodeKind};
use crate::tree::model::{NO_INODE, Tree, unpack};
use alloc::vec::Vec;

/// The tree without the names of which `excluded` says so, and without all that is below them.
///
/// It is asked of every name but the root's and those below a name that is left out: by its path, from the
/// root on with `/` between names and none in front, and the type of what has it. What
/// [`Changes::exclude`](super::Changes::exclude) says of hard links, whiteouts and bytes holds here too.
///
/// ```
/// use erofs_tarfs::tree::{InodeId, without};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("lib/a.so", "x"), ("lib/a.pyc", "y"), ("tmp/b.so", "z")]);
/// let without = without(&tree, &mut |path, _| path.ends_with(b".pyc") || path == b"tmp")?;
/// assert!(without.lookup(b"lib/a.so").is_some() && without.lookup(b"lib/a.pyc").is_none());
/// assert!(without.lookup(b"tmp/b.so").is_none());
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
///
/// # Errors
/// [`Error::NameTwice`], which would be a fault of this library.
pub fn without(
    tree: &Tree,
    excluded: &mut dyn FnMut(&[u8], NodeKind) -> bool,
) -> Result<Tree, Error> {
    let mut left_out = Vec::new();
    let mut path = Vec::new();
    // The directories on the way, and of each: the next of its links, their end, the length of its path.
    let mut way = Vec::new();
    let root = children(tree, InodeId::ROOT.0);
    way.push((root.start, root.end, 0));
    while let Some((next, end, len)) = way.last_mut() {
        path.truncate(*len);
        let at = *next;
        if at >= *end {
            way.pop();
            continue;
        }
        *next = at.saturating_add(1);
        let link = &tree.links[at];
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(tree.name(link));
        if excluded(&path, tree.kind(InodeId(link.inode))) {
            left_out.push(at);
            continue;
        }
        let below = children(tree, link.inode);
        if !below.is_empty() {
            way.push((below.start, below.end, path.len()));
        }
    }
    rebuilt(tree, left_out)
}

/// The tree without these paths, and without all that is below them.
pub(super) fn paths(tree: &Tree, paths: &[Vec<u8>]) -> Result<Tree, Error> {
    let mut left_out = Vec::new();
    for path in paths {
        let names = path.split(|b| *b == b'/').filter(|name| !name.is_empty() && *name != b".");
        let names: Vec<&[u8]> = names.collect();
        let Some((last, way)) = names.split_last() else { continue };
        let directory = way.iter().try_fold(InodeId::ROOT, |at, name| tree.child(at, name));
        let Some(directory) = directory else { continue };
        let range = children(tree, directory.0);
        let found =
            tree.links[range.clone()].binary_search_by(|link| tree.name(link).cmp(last)).ok();
        left_out.extend(found.map(|at| range.start.saturating_add(at)));
    }
    rebuilt(tree, left_out)
}

/// The links of a directory; none of what is no directory.
fn children(tree: &Tree, inode: u32) -> core::ops::Range<usize> {
    let inode = &tree.inodes[inode as usize];
    if inode.kind == NodeKind::Directory { unpack(inode.body) } else { 0..0 }
}

/// The tree without these links, numbered anew. Its devices stay, in use or not: what belongs to each is known
/// by its number.
fn rebuilt(tree: &Tree, left_out: Vec<usize>) -> Result<Tree, Error> {
    let mut changed = tree.clone();
    if left_out.is_empty() {
        return Ok(changed);
    }
    for at in left_out {
        changed.links[at].inode = NO_INODE;
    }
    let mut builder = Builder::new();
    builder.tree = changed;
    builder.keep_devices(true);
    builder.finish()
}
