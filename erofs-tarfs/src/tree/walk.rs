//! All of a tree, in order.

use super::inode::InodeId;
use super::model::Tree;
use alloc::vec::Vec;

/// A name that a [walk](Tree::walk) comes to.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let motd = tree.walk().last().expect("the root is there at least");
/// assert_eq!((motd.depth, motd.name), (2, &b"motd"[..]));
/// assert_eq!(tree.attributes(motd.id).mode, 0o644);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visited<'t> {
    /// How many directories lead to it: 0 of the root, 1 of what is in the root.
    pub depth: usize,
    /// Its name in its directory; empty of the root. [`Walk::path`] is its path.
    pub name: &'t [u8],
    /// The inode: one with several names is visited by each.
    pub id: InodeId,
}

/// Iterator over a tree; see [`Tree::walk`].
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
/// let tree = layer_of(&[("etc/motd", "hello\n"), ("srv/", "")]);
/// let (mut walk, mut paths) = (tree.walk(), Vec::new());
/// while walk.next().is_some() {
///     paths.push(walk.path().to_vec()); // of what was visited last
/// }
/// assert_eq!(paths, [&b""[..], b"etc", b"etc/motd", b"srv"]);
/// ```
#[derive(Clone, Debug)]
pub struct Walk<'t> {
    tree: &'t Tree,
    /// The directories from the root to where it is, and of each the index of the child that comes
    /// next and the length of its path.
    at: Vec<(InodeId, usize, usize)>,
    path: Vec<u8>,
    root: bool,
}

impl Tree {
    /// Every name in it, a directory before what is in it, in byte order of names: first the root, whose
    /// path is empty.
    ///
    /// # Examples
    /// ```
    /// use erofs_tarfs::tree::{Attributes, Builder, InodeId, Node, What, XattrSet};
    ///
    /// let mut builder = Builder::new();
    /// let attributes = Attributes::default();
    /// let node = Node { attributes, xattrs: XattrSet::NONE, what: What::Directory };
    /// let (usr, bin) = (builder.add(node.clone())?, builder.add(node)?);
    /// builder.link(InodeId::ROOT, b"usr", usr)?;
    /// builder.link(usr, b"bin", bin)?;
    /// let tree = builder.finish()?;
    ///
    /// let names: Vec<_> = tree.walk().map(|found| (found.depth, found.name)).collect();
    /// assert_eq!(names, [(0, &b""[..]), (1, b"usr"), (2, b"bin")]);
    /// let mut walk = tree.walk();
    /// while let Some(found) = walk.next() {
    ///     println!("{} {}", tree.kind(found.id), walk.path().escape_ascii());
    /// }
    /// # Ok::<(), erofs_tarfs::tree::Error>(())
    /// ```
    pub fn walk(&self) -> Walk<'_> {
        Walk { tree: self, at: Vec::new(), path: Vec::new(), root: true }
    }
}

impl Walk<'_> {
    /// The path of what was visited last, from the root on, `/` between names, and none in front. It is
    /// asked for apart, as deep trees have long paths: to have a copy of each is a cost of its own.
    pub fn path(&self) -> &[u8] {
        &self.path
    }
}

impl<'t> Iterator for Walk<'t> {
    type Item = Visited<'t>;

    fn next(&mut self) -> Option<Visited<'t>> {
        if core::mem::take(&mut self.root) {
            self.at.push((InodeId::ROOT, 0, 0));
            return Some(Visited { depth: 0, name: b"", id: InodeId::ROOT });
        }
        loop {
            let depth = self.at.len();
            let (directory, index, len) = self.at.last_mut()?;
            self.path.truncate(*len);
            let Some((name, id)) = self.tree.nth_child(*directory, *index) else {
                self.at.pop();
                continue;
            };
            *index = index.saturating_add(1);
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            if self.tree.children(id).len() > 0 {
                self.at.push((id, 0, self.path.len()));
            }
            return Some(Visited { depth, name, id });
        }
    }
}
