//! What callers see of an inode: its id, type, attributes and content.

use super::body::Body;
use crate::units::{DeviceNumber, Timestamp};
use core::fmt;

/// An inode of a [`Tree`](super::Tree). The root's is [`InodeId::ROOT`].
///
/// ```
/// use erofs_tarfs::tree::InodeId;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let paths: Vec<_> = (0..).map_while(|at| tree.inode(at)).map(|id| tree.path_of(id)).collect();
/// assert_eq!(paths, [&b"/"[..], b"/etc", b"/etc/motd"]);
/// assert_eq!(InodeId::ROOT.index(), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeId(pub(crate) u32);

impl InodeId {
    /// The root directory.
    pub const ROOT: Self = Self(0);

    /// Position in the arena: 0 up to, but not including, [`Tree::inode_count`](super::Tree::inode_count).
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The type of an inode.
///
/// ```
/// use erofs_tarfs::tree::NodeKind;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/.wh.motd", ""), ("bin@", "usr/bin")]);
/// let kind = |path| tree.lookup(path).map(|id| tree.kind(id));
/// assert_eq!(kind(b"etc/motd"), Some(NodeKind::Whiteout));
/// assert_eq!(kind(b"bin").unwrap().to_string(), "symbolic link"); // as `stat` says it
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum NodeKind {
    /// Regular file.
    Regular,
    /// Directory.
    Directory,
    /// Symbolic link.
    Symlink,
    /// Character device.
    CharDevice,
    /// Block device.
    BlockDevice,
    /// FIFO.
    Fifo,
    /// Socket (read from images; tars have none).
    Socket,
    /// A name of lower layers is removed here.
    Whiteout,
    /// A hard link whose target no entry of its layer has made: it waits for the merge.
    PendingLink,
}

impl fmt::Display for NodeKind {
    /// As `stat` calls it: "directory", "regular file".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regular => "regular file",
            Self::Directory => "directory",
            Self::Symlink => "symbolic link",
            Self::CharDevice => "character device",
            Self::BlockDevice => "block device",
            Self::Fifo => "FIFO",
            Self::Socket => "socket",
            Self::Whiteout => "whiteout",
            Self::PendingLink => "pending hard link",
        })
    }
}

/// Attributes that every inode has.
///
/// ```
/// use erofs_tarfs::tree::Attributes;
/// use erofs_tarfs::units::Timestamp;
///
/// let mtime = Timestamp { secs: 1_700_000_000, nanos: 0 };
/// let shared = Attributes { mode: 0o2775, uid: 0, gid: 100, mtime }; // set-group-ID, rwxrwxr-x
/// assert_eq!(shared.mode & 0o7777, shared.mode);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// The twelve permission bits.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time.
    pub mtime: Timestamp,
}

/// What an inode holds.
///
/// ```
/// use erofs_tarfs::tree::{Body, Content, Place};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n"), ("motd@", "etc/motd")]);
/// let content = |path: &[u8]| tree.lookup(path).map(|id| tree.content(id));
/// assert!(matches!(content(b"motd"), Some(Content::Target(b"etc/motd"))));
/// if let Some(Content::Regular { size, body: Body::Contiguous(place) }) = content(b"etc/motd") {
///     assert_eq!(size, 6); // bytes
///     assert_eq!(place, Place::Device { device: 0, offset: 512 }); // byte of the tar
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A regular file.
    Regular {
        /// Length in bytes.
        size: u64,
        /// Where they are.
        body: Body<'a>,
    },
    /// A directory; see [`Tree::children`](super::Tree::children).
    Directory,
    /// The target of a symbolic link, or of a pending hard link (a normalised path).
    Target(&'a [u8]),
    /// A device number.
    Device(DeviceNumber),
    /// Nothing: a FIFO, a socket or a whiteout.
    Nothing,
}
