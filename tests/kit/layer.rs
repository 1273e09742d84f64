//! What a layer says, in the words of its meaning and not of its bytes.

use crate::dump::Xattrs;

/// What the tar's entry says of the inode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attr {
    /// The lower 12 bits of the mode.
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Modification time, in seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// Extended attributes by full name.
    pub xattrs: Xattrs,
}

impl Attr {
    /// What a directory has that the tar does not list: 0755, 0:0, time 0.
    #[must_use]
    pub fn implied() -> Self {
        Self::of(0o755)
    }

    /// A mode, and zeros for all the rest.
    #[must_use]
    pub fn of(mode: u16) -> Self {
        Self { mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: Xattrs::new() }
    }
}

/// What an operation puts at its path, or hides there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A directory; one that is there already takes the new attributes.
    Dir,
    /// A regular file with this content.
    File(Vec<u8>),
    /// A symbolic link to this target; its mode is 0777, as Linux has it.
    Symlink(Vec<u8>),
    /// Another name of an earlier entry, whose attributes it shares.
    Hardlink(Vec<u8>),
    /// A character device. 0:0 is a whiteout, as overlayfs sees it.
    Char(u32, u32),
    /// A block device.
    Block(u32, u32),
    /// A FIFO.
    Fifo,
    /// `.wh.NAME`: the path is that of NAME, which lower layers lose.
    Whiteout,
    /// `.wh..wh..opq`: the path is that of the directory, whose lower children are hidden.
    Opaque,
}

impl What {
    /// Whether it hides and puts nothing there.
    #[must_use]
    pub fn is_marker(&self) -> bool {
        matches!(self, Self::Whiteout | Self::Opaque)
    }
}

/// One entry of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// The normal path: no leading, trailing or double slash; the root is empty.
    pub path: Vec<u8>,
    /// What is there.
    pub what: What,
    /// Its attributes; meaningless for hard links and markers.
    pub attr: Attr,
}

impl Op {
    /// An operation with the usual attributes.
    #[must_use]
    pub fn new(path: impl AsRef<[u8]>, what: What) -> Self {
        let mode = match what {
            What::Dir => 0o755,
            What::Symlink(_) => 0o777,
            _ => 0o644,
        };
        Self { path: path.as_ref().to_vec(), what, attr: Attr::of(mode) }
    }
}

/// The path of what contains it; `None` for the root.
#[must_use]
pub fn parent(path: &[u8]) -> Option<&[u8]> {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => Some(&path[..slash]),
        None if path.is_empty() => None,
        None => Some(b""),
    }
}

/// All that contain it, the nearest first, the root last.
pub fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(parent(path), |path| parent(path))
}

/// Whether a path lies strictly below another.
#[must_use]
pub fn is_below(path: &[u8], dir: &[u8]) -> bool {
    match path.strip_prefix(dir) {
        Some(rest) if dir.is_empty() => !rest.is_empty(),
        Some(rest) => rest.first() == Some(&b'/'),
        None => false,
    }
}

/// A path from a directory and a name.
#[must_use]
pub fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() }
}
