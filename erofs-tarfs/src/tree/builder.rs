//! Makes a tree node by node, name by name.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::access::{Access, Known};
use super::body::{Extent, Place};
use super::device::Device;
use super::error::Error;
use super::index::Index;
use super::inode::{Attributes, InodeId, NodeKind};
use super::model::{IMPLIED, Inode, OPAQUE, PIECES, Tree, pack};
use super::recent::Recent;
use crate::limits::{Limit, Limits, OverLimit};
use crate::units::DeviceNumber;
use alloc::vec::Vec;
use core::fmt;

/// Extended attributes that a [`Builder`] has taken in.
///
/// ```
/// use erofs_tarfs::tree::{Attributes, Builder, InodeId};
///
/// let mut builder = Builder::new();
/// let label = builder.xattrs(&mut vec![(&b"user.owner"[..], &b"web"[..])])?;
/// builder.set(InodeId::ROOT, Attributes { mode: 0o755, ..Attributes::default() }, label);
/// let tree = builder.finish()?;
/// assert_eq!(tree.xattrs(InodeId::ROOT).next(), Some((&b"user.owner"[..], &b"web"[..])));
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XattrSet(pub(crate) u32);

impl XattrSet {
    /// No attributes.
    pub const NONE: Self = Self(0);
}

/// An inode to make.
///
/// ```
/// use erofs_tarfs::tree::{Attributes, Builder, InodeId, Node, What, XattrSet};
///
/// let mut builder = Builder::new();
/// let attributes = Attributes { mode: 0o1777, ..Attributes::default() };
/// let tmp = Node { attributes, xattrs: XattrSet::NONE, what: What::Directory };
/// let tmp = builder.add(tmp)?;
/// builder.link(InodeId::ROOT, b"tmp", tmp)?;
/// let tree = builder.finish()?;
/// assert_eq!(tree.attributes(tree.lookup(b"tmp").expect("it is there")).mode, 0o1777);
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Mode, owner, time.
    pub attributes: Attributes,
    /// Extended attributes.
    pub xattrs: XattrSet,
    /// Type and content.
    pub what: What<'a>,
}

/// Type and content of an inode to make.
///
/// ```
/// use erofs_tarfs::tree::{Attributes, Builder, Device, InodeId, Node, Place, What, XattrSet};
///
/// // A file of 6 bytes, which lie from byte 512 on in a device of 2048 bytes.
/// let mut builder = Builder::new();
/// let device = builder.add_device(Device { bytes: 2048, ..Device::default() })?;
/// let what = What::Regular { size: 6, place: Place::Device { device, offset: 512 } };
/// let attributes = Attributes { mode: 0o644, ..Attributes::default() };
/// let file = builder.add(Node { attributes, xattrs: XattrSet::NONE, what })?;
/// builder.link(InodeId::ROOT, b"motd", file)?;
/// assert_eq!(builder.finish()?.name_count(), 1);
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// A directory, empty yet.
    Directory,
    /// A regular file in one piece; the place counts for nothing where the size is 0.
    Regular {
        /// Length in bytes.
        size: u64,
        /// Where they are.
        place: Place,
    },
    /// A regular file in pieces, holes between them.
    Pieces {
        /// Length in bytes.
        size: u64,
        /// Ascending, disjoint, within the size, none empty.
        extents: &'a [Extent],
    },
    /// A symbolic link, with its target.
    Symlink(&'a [u8]),
    /// A character device.
    CharDevice(DeviceNumber),
    /// A block device.
    BlockDevice(DeviceNumber),
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A whiteout.
    Whiteout,
    /// A hard link to a path of a lower layer.
    PendingLink(&'a [u8]),
}

/// Makes a [`Tree`]: inodes first, then names for them.
///
/// It starts with a root: an implied directory, mode 0755, owner 0:0, time 0.
///
/// ```
/// use erofs_tarfs::tree::{Attributes, Builder, InodeId, Node, What, XattrSet};
///
/// let mut builder = Builder::new();
/// let link = builder.add(Node {
///     attributes: Attributes { mode: 0o777, ..Attributes::default() },
///     xattrs: XattrSet::NONE,
///     what: What::Symlink(b"usr/bin"),
/// })?;
/// builder.link(InodeId::ROOT, b"bin", link)?;
/// let tree = builder.finish()?;
/// assert_eq!(tree.children(InodeId::ROOT).next().unwrap().0, b"bin");
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone)]
pub struct Builder {
    pub(super) tree: Tree,
    /// Of the first `indexed` names, those in directories that are [`SCATTERED`](super::model::SCATTERED). The
    /// `body` of such a directory is the position plus one of its last name in order; that of another is the
    /// start and the count of its names, in which one is found by halves.
    pub(super) index: Index,
    pub(super) indexed: u32,
    pub(super) root: u32,
    pub(super) keep_devices: bool,
    /// Whether any name was given to another inode since this was last set to false.
    pub(super) replaced: bool,
    pub(super) recent: Recent,
    /// Of what inodes have alike, what was met lately.
    known: Known,
    /// How many inodes there may be.
    most_inodes: u64,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("tree", &self.tree).finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// The attributes of an implied directory.
pub(super) const IMPLIED_ATTRIBUTES: Attributes = Attributes {
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: crate::units::Timestamp { secs: 0, nanos: 0 },
};

impl Builder {
    /// A tree with nothing but its root.
    pub fn new() -> Self {
        let mut builder = Self {
            tree: Tree::default(),
            index: Index::default(),
            indexed: 0,
            root: 0,
            keep_devices: false,
            replaced: false,
            recent: Recent::default(),
            known: Known::default(),
            most_inodes: u64::MAX,
        };
        let root = builder.inode(IMPLIED_ATTRIBUTES, XattrSet::NONE, NodeKind::Directory);
        builder.tree.inodes.push(Inode { flags: IMPLIED, ..root });
        builder
    }

    /// Whether [`finish`](Self::finish) keeps devices in which no file has any bytes. By default
    /// they are dropped.
    pub fn keep_devices(&mut self, keep: bool) {
        self.keep_devices = keep;
    }

    /// Says how many inodes there may be, the root counted; any number that ids have by default.
    pub(super) fn limit_inodes(&mut self, limits: &Limits) {
        self.most_inodes = limits.max_inodes;
    }

    /// Adds a device; the index is for [`Place::Device`].
    ///
    /// # Errors
    /// [`Error::TooMany`] past 65535 devices.
    pub fn add_device(&mut self, device: Device) -> Result<u16, Error> {
        let index =
            u16::try_from(self.tree.devices.len()).map_err(|_| Error::TooMany("devices"))?;
        if index == u16::MAX {
            return Err(Error::TooMany("devices"));
        }
        self.tree.devices.push(device);
        Ok(index)
    }

    /// Takes in extended attributes, each name once, and sorts them by name.
    ///
    /// # Errors
    /// [`Error::TooMany`] past 4 GiB of one set, or 2^32 sets.
    pub fn xattrs(&mut self, list: &mut Vec<(&[u8], &[u8])>) -> Result<XattrSet, Error> {
        if list.is_empty() {
            return Ok(XattrSet::NONE);
        }
        list.sort_unstable();
        let mut set = Vec::new();
        for (name, value) in list.iter() {
            for len in [name.len(), value.len()] {
                let len = u32::try_from(len).map_err(|_| Error::TooMany("xattr bytes"))?;
                set.extend_from_slice(&len.to_le_bytes());
            }
            set.extend_from_slice(name);
            set.extend_from_slice(value);
        }
        self.encoded_xattrs(&set)
    }

    pub(super) fn encoded_xattrs(&mut self, set: &[u8]) -> Result<XattrSet, Error> {
        if set.is_empty() {
            return Ok(XattrSet::NONE);
        }
        let count = self.tree.xattr_sets.len() as u32;
        let known = self.recent.slot(set);
        if known.checked_sub(1).is_some_and(|known| self.tree.xattr_set(known) == set) {
            return Ok(XattrSet(*known));
        }
        if count == u32::MAX - 1 || set.len() > u32::MAX as usize {
            return Err(Error::TooMany("xattr sets"));
        }
        *known = count.saturating_add(1);
        let start = self.carry(set);
        self.tree.xattr_sets.push((start, set.len() as u32));
        Ok(XattrSet(count.saturating_add(1)))
    }

    /// Keeps bytes of a file in the tree itself; the offset is for [`Place::Carried`].
    pub fn carry(&mut self, bytes: &[u8]) -> u64 {
        let start = self.tree.bytes.len() as u64;
        self.tree.bytes.extend_from_slice(bytes);
        start
    }

    /// Makes an inode that has no name yet.
    ///
    /// # Errors
    /// [`Error::TooMany`] past 2^32 inodes, or extents of all files.
    pub fn add(&mut self, node: Node<'_>) -> Result<InodeId, Error> {
        let before = self.tree.inodes.len() as u64;
        if before >= self.most_inodes {
            return Err(self.too_many_inodes());
        }
        let id = u32::try_from(before).ok().filter(|id| *id < u32::MAX - 1);
        let id = id.ok_or(Error::TooMany("inodes"))?;
        let kind = match node.what {
            What::Directory => NodeKind::Directory,
            What::Regular { .. } | What::Pieces { .. } => NodeKind::Regular,
            What::Symlink(_) => NodeKind::Symlink,
            What::CharDevice(_) => NodeKind::CharDevice,
            What::BlockDevice(_) => NodeKind::BlockDevice,
            What::Fifo => NodeKind::Fifo,
            What::Socket => NodeKind::Socket,
            What::Whiteout => NodeKind::Whiteout,
            What::PendingLink(_) => NodeKind::PendingLink,
        };
        let mut new = self.inode(node.attributes, node.xattrs, kind);
        match node.what {
            What::Regular { size, place: Place::Device { device, offset } } => {
                (new.size, new.body, new.device) = (size, offset, device);
            }
            What::Regular { size, place: place @ Place::Carried(_) } => {
                let extent = [Extent { logical: 0, len: size, place }];
                self.pieces(&mut new, size, if size == 0 { &[] } else { &extent })?;
            }
            What::Pieces { size, extents } => self.pieces(&mut new, size, extents)?,
            What::Symlink(target) | What::PendingLink(target) => {
                (new.size, new.body) = (target.len() as u64, self.carry(target));
            }
            What::CharDevice(number) | What::BlockDevice(number) => {
                new.body = number.encode().into();
            }
            What::Directory | What::Fifo | What::Socket | What::Whiteout => {}
        }
        self.tree.inodes.push(new);
        Ok(InodeId(id))
    }

    /// That there are more than may be; whoever merges layers says of which.
    #[cold]
    fn too_many_inodes(&self) -> Error {
        let value = self.most_inodes.saturating_add(1);
        let over = OverLimit::new(Limit::Inodes, value, self.most_inodes);
        Error::Limit { layer: 0, over }
    }

    fn pieces(&mut self, new: &mut Inode, size: u64, extents: &[Extent]) -> Result<(), Error> {
        let start = self.tree.extents.len();
        if start.saturating_add(extents.len()) > u32::MAX as usize {
            return Err(Error::TooMany("extents"));
        }
        self.tree.extents.extend_from_slice(extents);
        (new.size, new.body) = (size, pack(start, extents.len()));
        new.flags |= PIECES;
        Ok(())
    }

    pub(super) fn set_pieces(
        &mut self,
        id: InodeId,
        size: u64,
        extents: &[Extent],
    ) -> Result<(), Error> {
        let mut inode = self.tree.inodes[id.index()];
        self.pieces(&mut inode, size, extents)?;
        self.tree.inodes[id.index()] = inode;
        Ok(())
    }

    /// The root directory. It stays [`InodeId::ROOT`] unless a merge has replaced it.
    pub(super) fn root(&self) -> InodeId {
        InodeId(self.root)
    }

    pub(super) fn inode_mut(&mut self, id: InodeId) -> &mut Inode {
        &mut self.tree.inodes[id.index()]
    }

    pub(super) fn kind(&self, id: InodeId) -> NodeKind {
        self.tree.inodes[id.index()].kind
    }

    /// Gives an inode other attributes.
    pub fn set(&mut self, id: InodeId, attributes: Attributes, xattrs: XattrSet) {
        let access = self.access(attributes, xattrs);
        let inode = self.inode_mut(id);
        inode.access = access;
        inode.mtime_secs = attributes.mtime.secs;
        inode.mtime_nanos = attributes.mtime.nanos;
    }

    /// Marks a directory as one that no tar lists, or takes the mark away.
    pub fn mark_implied(&mut self, id: InodeId, implied: bool) {
        self.flag(id, IMPLIED, implied);
    }

    /// Marks a directory as one that hides lower children, or takes the mark away.
    pub fn mark_opaque(&mut self, id: InodeId, opaque: bool) {
        self.flag(id, OPAQUE, opaque);
    }

    fn flag(&mut self, id: InodeId, flag: u8, on: bool) {
        let flags = &mut self.inode_mut(id).flags;
        *flags = if on { *flags | flag } else { *flags & !flag };
    }

    fn inode(&mut self, attributes: Attributes, xattrs: XattrSet, kind: NodeKind) -> Inode {
        Inode {
            mtime_secs: attributes.mtime.secs,
            size: 0,
            body: 0,
            mtime_nanos: attributes.mtime.nanos,
            access: self.access(attributes, xattrs),
            nlink: 0,
            device: 0,
            kind,
            flags: 0,
        }
    }

    /// The number of mode, owner and extended attributes.
    fn access(&mut self, attributes: Attributes, xattrs: XattrSet) -> u32 {
        let Tree { access, inodes, .. } = &mut self.tree;
        let numbers = inodes.iter_mut().map(|inode| &mut inode.access);
        self.known.number(access, numbers, Access::new(attributes, xattrs.0))
    }
}
