//! A directory as a value: walked in full, compared in full.

mod diff;
mod text;
mod walk;

use std::collections::BTreeMap;
use std::fmt;

pub use diff::{Ignore, diff};
pub use walk::{DumpOptions, dump, dump_with};

/// Bytes of a path, name or value, shown so that a person can read them.
#[derive(Clone, Copy)]
pub struct Show<'a>(pub &'a [u8]);

impl fmt::Display for Show<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONG: usize = 200;
        let (shown, rest) = self.0.split_at(self.0.len().min(LONG));
        write!(f, "\"{}\"", shown.escape_ascii())?;
        if rest.is_empty() { Ok(()) } else { write!(f, "…({} bytes)", self.0.len()) }
    }
}

impl fmt::Debug for Show<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Kind {
    File,
    Dir,
    Symlink,
    Char,
    Block,
    Fifo,
    Socket,
}

/// Extended attributes by full name.
pub type Xattrs = BTreeMap<Vec<u8>, Vec<u8>>;

/// Everything that can be seen of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The type.
    pub kind: Kind,
    /// The lower 12 bits of the mode.
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Modification time, in seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// Bytes of content or of link target; 0 for directories, whose size is the filesystem's affair.
    pub size: u64,
    /// Major and minor number of a device, else 0.
    pub rdev: (u32, u32),
    /// Where a symbolic link points.
    pub target: Option<Vec<u8>>,
    /// All extended attributes.
    pub xattrs: Xattrs,
    /// SHA-256 of a regular file's content, unless the dump left it out.
    pub sha256: Option<[u8; 32]>,
    /// The smallest path of those that are this inode.
    pub link: Vec<u8>,
    /// The link count as the filesystem tells it.
    pub nlink: u64,
}

/// Paths below a root, without a leading slash, and what is there. The root is the empty path.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<Vec<u8>, Node>);

impl Tree {
    /// The node at a path.
    #[must_use]
    pub fn get(&self, path: impl AsRef<[u8]>) -> Option<&Node> {
        self.0.get(path.as_ref())
    }

    /// All paths, the root first.
    pub fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.0.keys().map(Vec::as_slice)
    }

    /// Sets the link count of everything that is no directory to the number of names it has here.
    ///
    /// Overlayfs tells the count of the lower inode, with the names that upper layers hide.
    pub fn recount_links(&mut self) {
        let mut counts: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for node in self.0.values() {
            *counts.entry(node.link.clone()).or_default() += 1;
        }
        for node in self.0.values_mut().filter(|node| node.kind != Kind::Dir) {
            node.nlink = counts[&node.link];
        }
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, node) in &self.0 {
            let Node { kind, mode, uid, gid, mtime, size, rdev, nlink, .. } = node;
            write!(f, "{} {kind:?} {mode:04o} {uid}:{gid} ", Show(path))?;
            write!(f, "@{}.{:09} size {size} rdev {rdev:?} nlink {nlink}", mtime.0, mtime.1)?;
            if let Some(target) = &node.target {
                write!(f, " -> {}", Show(target))?;
            }
            if node.link != *path {
                write!(f, " = {}", Show(&node.link))?;
            }
            for (key, value) in &node.xattrs {
                write!(f, " {}={}", Show(key), Show(value))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
