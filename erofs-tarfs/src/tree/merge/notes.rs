//! What a merge decides where readers of layers differ.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use crate::tree::error::Quoted;
use crate::tree::{InodeId, NodeKind, Tree};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// A path at which readers of layers differ, and what the merge did there.
///
/// ```
/// use erofs_tarfs::tree::{MergeOptions, Note, merge_noting};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let base = layer_of(&[("usr/lib/", ""), ("lib@", "usr/lib")]);
/// let app = layer_of(&[("lib/libapp.so", "")]);
/// let mut replaced = Vec::new();
/// merge_noting(&[&base, &app], &MergeOptions::default(), &mut |note| match note {
///     Note::LinkReplaced { path, target, .. } => replaced.push((path, target)),
///     note => println!("{note}"), // a line for people
/// })?;
/// assert_eq!(replaced, [(b"lib".to_vec(), b"usr/lib".to_vec())]);
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A layer has something below a path that a lower layer has as a symbolic link, and does not
    /// list the directory itself. A directory takes the link's place, as overlayfs shows it; what
    /// extracts layers one over the other follows the link. See
    /// [`MergeOptions::follow_lower_links`](super::MergeOptions::follow_lower_links).
    LinkReplaced {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
        /// The path.
        path: Vec<u8>,
        /// What the link leads to.
        target: Vec<u8>,
    },
    /// The same below a path that a lower layer has as something else than a link or a directory:
    /// what extracts layers refuses it.
    FileReplaced {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
        /// The path.
        path: Vec<u8>,
    },
    /// With `follow_lower_links`, a layer lists one directory by two paths, one of them through a
    /// lower layer's link, with other attributes: those of its own path count.
    ListedTwice {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
        /// Its own path.
        path: Vec<u8>,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkReplaced { layer, path, target } => write!(
                f,
                "layer {}: {} is a symbolic link to {} in a lower layer; a directory takes its \
                 place",
                layer.saturating_add(1),
                Quoted(path),
                Quoted(target)
            ),
            Self::FileReplaced { layer, path } => write!(
                f,
                "layer {}: {} is no directory in a lower layer; one takes its place",
                layer.saturating_add(1),
                Quoted(path)
            ),
            Self::ListedTwice { layer, path } => write!(
                f,
                "layer {}: {} is listed by two paths, with other attributes",
                layer.saturating_add(1),
                Quoted(path)
            ),
        }
    }
}

/// Paths of directories of a layer, found in time that does not grow with the layer.
#[derive(Default)]
pub(super) struct Paths {
    /// For each inode the position of a link to it plus one; made when it is first needed.
    links: Vec<u32>,
}

impl Paths {
    /// The path of a directory from the root, without a slash before it.
    pub(super) fn of(&mut self, tree: &Tree, dir: InodeId) -> Vec<u8> {
        if self.links.is_empty() {
            self.links = vec![0; tree.inodes.len()];
            for (at, link) in (1..).zip(&tree.links) {
                if tree.kind(InodeId(link.inode)) == NodeKind::Directory {
                    self.links[link.inode as usize] = at;
                }
            }
        }
        let (mut parts, mut at) = (Vec::new(), dir.0);
        while let Some(link) = self.links[at as usize].checked_sub(1) {
            let link = &tree.links[link as usize];
            parts.push(tree.name(link));
            at = link.parent;
        }
        parts.reverse();
        parts.join(&b'/')
    }
}
