//! One entry of a tar, all extension headers applied.

use core::fmt;

use super::extension::Extensions;
use super::part::part;
use super::said::{Said, Text};
use super::sparse::Segment;
use crate::units::{DeviceNumber, Timestamp};

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file (types `0`, NUL, `7`, and GNU sparse `S`).
    Regular,
    /// Another name for an earlier entry (type `1`).
    HardLink,
    /// A symbolic link (type `2`).
    Symlink,
    /// A character device (type `3`).
    CharDevice,
    /// A block device (type `4`).
    BlockDevice,
    /// A directory (type `5`, and v7's type NUL with a trailing slash).
    Directory,
    /// A FIFO (type `6`).
    Fifo,
}

/// One entry, borrowed from the parser until the next push.
///
/// Everything is as the tar says, extension headers applied; names are raw bytes, not yet
/// normalised.
///
/// ```
/// use erofs_tarfs::tar::{Event, Kind, ParseOptions, Parser};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = tar_of(&[("etc/motd", "hello\n")]);
/// let mut parser = Parser::new(ParseOptions::default());
/// if let Event::Entry(entry) = parser.push(&tar)?.event {
///     assert_eq!((entry.path, entry.kind), (&b"etc/motd"[..], Kind::Regular));
///     assert_eq!((entry.mode, entry.size), (0o644, 6)); // bytes
///     assert_eq!((entry.offset, entry.data_offset), (0, 512)); // header, body: bytes of the tar
/// }
/// # Ok::<(), erofs_tarfs::tar::Error>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Entry<'a> {
    /// Byte offset in the tar of the entry's own header block.
    pub offset: u64,
    /// What it makes.
    pub kind: Kind,
    /// Its path, raw.
    pub path: &'a [u8],
    /// The target of a symbolic or hard link, raw; else empty.
    pub link: &'a [u8],
    /// The twelve permission bits.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Name of the owner, raw; empty if the tar has none.
    pub uname: &'a [u8],
    /// Name of the group, raw; empty if the tar has none.
    pub gname: &'a [u8],
    /// Modification time.
    pub mtime: Timestamp,
    /// Device number of a device entry, else 0:0.
    pub device: DeviceNumber,
    /// Length of the file in bytes, holes included; 0 for what is not a regular file.
    pub size: u64,
    /// Byte offset in the tar of the first stored byte of the body.
    pub data_offset: u64,
    /// Stored bytes of the body from `data_offset`; equals `size` unless sparse.
    pub stored: u64,
    /// The runs with data of a sparse file, ascending and disjoint, stored back to back from
    /// `data_offset`; `None` for a file that is not sparse.
    pub sparse: Option<&'a [Segment]>,
    /// Extended attributes, with full names such as `user.k`.
    pub xattrs: Xattrs<'a>,
    /// What extension headers say of it: those right before it, and the global ones. `None` if
    /// there are none.
    pub(super) extensions: Option<[&'a Extensions; 2]>,
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("offset", &self.offset)
            .field("kind", &self.kind)
            .field("path", &self.path)
            .field("link", &self.link)
            .field("mode", &self.mode)
            .field("uid", &self.uid)
            .field("gid", &self.gid)
            .field("uname", &self.uname)
            .field("gname", &self.gname)
            .field("mtime", &self.mtime)
            .field("device", &self.device)
            .field("size", &self.size)
            .field("data_offset", &self.data_offset)
            .field("stored", &self.stored)
            .field("sparse", &self.sparse)
            .field("xattrs", &self.xattrs)
            .field("acl_access", &self.acl_access())
            .field("acl_default", &self.acl_default())
            .field("selinux", &self.selinux())
            .finish()
    }
}

impl<'a> Entry<'a> {
    /// Access control list as text (`SCHILY.acl.access`), as star, bsdtar and GNU tar write it;
    /// empty if the tar has none.
    pub fn acl_access(&self) -> &'a [u8] {
        self.said(|extensions| extensions.acl_access)
    }

    /// Default access control list of a directory as text (`SCHILY.acl.default`): what is made in
    /// the directory gets it. Empty if the tar has none.
    pub fn acl_default(&self) -> &'a [u8] {
        self.said(|extensions| extensions.acl_default)
    }

    /// SELinux context (`RHT.security.selinux`), as GNU tar writes it without `--xattrs`; empty if
    /// the tar has none.
    pub fn selinux(&self) -> &'a [u8] {
        self.said(|extensions| extensions.selinux)
    }

    /// Whether any extension header is in force for it.
    pub(crate) fn is_extended(&self) -> bool {
        self.extensions.is_some()
    }

    fn said(&self, text: fn(&Extensions) -> Said<Text>) -> &'a [u8] {
        let Some([own, global]) = self.extensions else { return &[] };
        match (text(own), text(global)) {
            (Said::Set(text), _) => part(&own.arena, text.range()),
            (Said::Unsaid, Said::Set(text)) => part(&global.arena, text.range()),
            _ => &[],
        }
    }
}

/// One extended attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xattr<'a> {
    /// Full name, with its namespace.
    pub name: &'a [u8],
    /// Value: any bytes, perhaps none.
    pub value: &'a [u8],
}

/// The extended attributes of an entry: each name once, the last value given for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Xattrs<'a> {
    list: &'a [(core::ops::Range<usize>, core::ops::Range<usize>)],
    bytes: &'a [u8],
}

impl<'a> Xattrs<'a> {
    /// Attributes whose names and values are ranges of `bytes`.
    pub(crate) fn new(
        list: &'a [(core::ops::Range<usize>, core::ops::Range<usize>)],
        bytes: &'a [u8],
    ) -> Self {
        Self { list, bytes }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Each attribute, in the order in which the tar names them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Xattr<'a>> + use<'a> {
        let bytes = self.bytes;
        self.list.iter().map(move |(name, value)| Xattr {
            name: part(bytes, name.clone()),
            value: part(bytes, value.clone()),
        })
    }
}
