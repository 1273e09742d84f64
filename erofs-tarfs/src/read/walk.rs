//! All names of an image, in order.

use super::budget::{Budget, Cost};
use super::{Entry, Error, Image, Inode, Rule};
use crate::tree::NodeKind;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::{IntoIter, Vec};
use core::fmt;

/// A name that a [walk](Image::walk) comes to.
///
/// ```
/// use erofs_tarfs::{image, layout, read::Image};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let image = Image::new(&bytes)?;
/// let found = image.walk().last().expect("the root is there at least")?;
/// assert_eq!((found.depth, &found.name[..]), (2, &b"motd"[..]));
/// assert_eq!(found.inode.size(), 6); // bytes
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundName<'a> {
    /// How many directories lead to it: 0 of the root, 1 of what is in the root.
    pub depth: usize,
    /// Its name in its directory; empty of the root. [`ImageWalk::path`] is its path.
    pub name: alloc::borrow::Cow<'a, [u8]>,
    /// Its inode, which may have other names too.
    pub inode: Inode,
}

/// Iterator over an image; see [`Image::walk`].
///
/// ```
/// use erofs_tarfs::{image, layout, read::Image, tree::NodeKind};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let image = Image::new(&bytes)?;
/// let (mut walk, mut files) = (image.walk(), Vec::new());
/// while let Some(found) = walk.next() {
///     if found?.inode.kind() == NodeKind::Regular {
///         files.push(walk.path().to_vec()); // of what was found last
///     }
/// }
/// assert_eq!(files, [b"etc/motd"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ImageWalk<'i, 'a> {
    image: &'i Image<'a>,
    /// The directories from the root to where it is, and of each what is left of it and the length of
    /// its path.
    at: Vec<(IntoIter<Entry<'a>>, usize)>,
    path: Vec<u8>,
    /// The directories that were come to: one that is reached twice would have no end.
    seen: BTreeSet<u64>,
    budget: Budget,
    /// Before the first step.
    fresh: bool,
}

impl<'a> Image<'a> {
    /// Every name in the image, a directory before what is in it, in byte order of names: first the root.
    /// In memory are the names of the directories that lead to where it is, and no inode.
    ///
    /// After an error it is at its end. Nothing that an image says makes it endless, or longer than the
    /// image has room for.
    ///
    /// ```
    /// use erofs_tarfs::{image, layout, read::Image};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::layer_of;
    ///
    /// let tree = layer_of(&[("etc/motd", "hello\n"), ("srv/", "")]);
    /// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
    /// let image = Image::new(&bytes)?;
    /// let mut walk = image.walk();
    /// let mut lines = Vec::new();
    /// while let Some(found) = walk.next().transpose()? {
    ///     let path = String::from_utf8_lossy(walk.path());
    ///     lines.push(format!("{} {path}", found.inode.kind()));
    /// }
    /// assert_eq!(lines, ["directory ", "directory etc", "regular file etc/motd", "directory srv"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn walk(&self) -> ImageWalk<'_, 'a> {
        ImageWalk {
            image: self,
            at: Vec::new(),
            path: Vec::new(),
            seen: BTreeSet::new(),
            budget: Budget::new(self.bytes),
            fresh: true,
        }
    }
}

impl<'a> ImageWalk<'_, 'a> {
    /// The path of what was found last, from the root on, `/` between names, and none in front. It is
    /// asked for apart, as deep trees have long paths: to have a copy of each is a cost of its own.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    fn step(&mut self) -> Result<Option<FoundName<'a>>, Error> {
        if core::mem::take(&mut self.fresh) {
            let inode = self.image.inode(self.image.root())?;
            self.enter(&inode)?;
            return Ok(Some(FoundName { depth: 0, name: vec![].into(), inode }));
        }
        while let Some((entries, len)) = self.at.last_mut() {
            self.path.truncate(*len);
            let Some(Entry { name, nid, .. }) = entries.next() else {
                self.at.pop();
                continue;
            };
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(&name);
            let (depth, inode) = (self.at.len(), self.image.inode(nid)?);
            if inode.kind() == NodeKind::Directory {
                self.enter(&inode)?;
            }
            return Ok(Some(FoundName { depth, name, inode }));
        }
        Ok(None)
    }

    /// Goes into a directory, whose path is the one where it is.
    fn enter(&mut self, inode: &Inode) -> Result<(), Error> {
        if !self.seen.insert(inode.nid()) {
            return Err(inode.fault(inode.offset(), Rule::DirectoryOnce));
        }
        self.budget.take(inode, Cost::Directory, inode.size())?;
        let entries = self.image.children(inode)?;
        self.at.push((entries.into_iter(), self.path.len()));
        Ok(())
    }
}

impl fmt::Debug for ImageWalk<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.escape_ascii();
        write!(f, "ImageWalk at depth {}, {path}", self.at.len())
    }
}

impl<'a> Iterator for ImageWalk<'_, 'a> {
    type Item = Result<FoundName<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.at.clear();
        }
        step.transpose()
    }
}
