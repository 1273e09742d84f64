//! The tree itself: an arena of small nodes.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::access::Access;
use super::body::{Body, Extent, Packed, Place};
use super::device::{Device, Identity, Origin};
use super::inode::{Attributes, Content, InodeId, NodeKind};
use crate::units::{DeviceNumber, Timestamp};
use alloc::vec::Vec;
use core::fmt;

/// An inode: 40 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Inode {
    pub(crate) mtime_secs: i64,
    /// Regular: length. Symlink, pending link: length of the target.
    pub(crate) size: u64,
    /// By kind: device offset | extents (start, count) | arena offset | device | children (start, count).
    pub(crate) body: u64,
    pub(crate) mtime_nanos: u32,
    /// Index of its mode, owner and extended attributes, in `Tree::access`.
    pub(crate) access: u32,
    pub(crate) nlink: u32,
    /// Device index of a contiguous body.
    pub(crate) device: u16,
    pub(crate) kind: NodeKind,
    pub(crate) flags: u8,
}

/// The body is a range of `extents`.
pub(crate) const PIECES: u8 = 1;
/// A directory that no tar lists.
pub(crate) const IMPLIED: u8 = 2;
/// A directory that hides the lower layers' children.
pub(crate) const OPAQUE: u8 = 4;
/// While a tree grows: a directory whose names are not one behind the other in `links`, or not in ascending order.
pub(crate) const SCATTERED: u8 = 8;

pub(crate) const fn pack(start: usize, count: usize) -> u64 {
    start as u64 | (count as u64) << 32
}

pub(crate) fn unpack(packed: u64) -> core::ops::Range<usize> {
    let start = packed as u32 as usize;
    start..start.saturating_add((packed >> 32) as usize)
}

/// A name in a directory.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    pub(crate) parent: u32,
    /// The inode, or [`NO_INODE`].
    pub(crate) inode: u32,
    pub(crate) name: u32,
    pub(crate) name_len: u8,
    pub(crate) flags: u8,
}

/// No inode: a name that was removed.
pub(crate) const NO_INODE: u32 = u32::MAX;
/// The layer has a whiteout of this name, besides what else may have the name.
pub(crate) const WHITED: u8 = 1;

/// A filesystem tree: one layer, or layers merged. Made by [`Builder`](super::Builder),
/// [`LayerBuilder`](super::LayerBuilder), [`merge`](super::merge()) or the `read` stage.
///
/// Directories' children are in ascending byte order. Every inode is reachable from the root.
///
/// ```
/// use erofs_tarfs::tree::InodeId;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n"), ("srv/", "")]);
/// let names: Vec<_> = tree.children(InodeId::ROOT).map(|(name, _)| name).collect();
/// assert_eq!(names, [b"etc", b"srv"]);
/// let etc = tree.lookup(b"etc").expect("it holds a file");
/// assert!(tree.is_implied(etc), "the tar lists etc/motd, and no etc");
/// assert_eq!(tree.devices()[0].bytes, 2560); // of the tar
/// ```
#[derive(Clone, Default)]
pub struct Tree {
    pub(crate) inodes: Vec<Inode>,
    pub(crate) access: Vec<Access>,
    pub(crate) links: Vec<Link>,
    pub(crate) names: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) extents: Vec<Extent>,
    pub(crate) xattr_sets: Vec<(u64, u32)>,
    pub(crate) devices: Vec<Device>,
    /// Of a merged tree, one for each device.
    pub(crate) origins: Vec<Origin>,
    /// How the last device is filled, where that is a packed one.
    pub(crate) packing: Vec<Packed>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("inodes", &self.inodes.len())
            .field("names", &self.links.len())
            .field("devices", &self.devices)
            .finish_non_exhaustive()
    }
}

impl Tree {
    /// Number of inodes; ids count from 0.
    pub fn inode_count(&self) -> usize {
        self.inodes.len()
    }

    /// The id of the inode at `index`, if there are that many.
    pub fn inode(&self, index: u32) -> Option<InodeId> {
        (u64::from(index) < self.inodes.len() as u64).then_some(InodeId(index))
    }

    /// Number of names in all directories, `.` and `..` not counted.
    pub fn name_count(&self) -> usize {
        self.links.len()
    }

    /// The files that hold bodies, in layer order, lowest first.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// Says what is known of the bytes of a device, by whoever has found its file or has checked its
    /// digest. Nothing happens if there is no such device.
    pub fn identify(&mut self, device: usize, identity: Identity) {
        if let Some(device) = self.devices.get_mut(device) {
            device.identity = identity;
        }
    }

    /// Where each device of a merged tree comes from, in the order of [`devices`](Self::devices):
    /// of devices that are one, the lowest. Empty if the tree was not made by
    /// [`merge()`](super::merge()).
    ///
    /// Sources are to be found by this, never by tags: two devices may have one tag.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// What the last of the devices is filled with, where that is a packed one, which has no file:
    /// in ascending order, zeros between. Empty of other trees. See [`pack()`](super::pack()).
    pub fn packing(&self) -> &[Packed] {
        &self.packing
    }

    /// The type of an inode.
    pub fn kind(&self, id: InodeId) -> NodeKind {
        self.inodes[id.index()].kind
    }

    /// The attributes of an inode.
    pub fn attributes(&self, id: InodeId) -> Attributes {
        let inode = &self.inodes[id.index()];
        let Access { mode, uid, gid, .. } = self.access_of(id);
        Attributes {
            mode,
            uid,
            gid,
            mtime: Timestamp { secs: inode.mtime_secs, nanos: inode.mtime_nanos },
        }
    }

    /// Number of links, as `stat` gives it: for a directory 2 and one for each subdirectory, for
    /// others how many names it has.
    pub fn nlink(&self, id: InodeId) -> u32 {
        self.inodes[id.index()].nlink
    }

    /// Whether a directory is implied: a parent that the tar never lists.
    pub fn is_implied(&self, id: InodeId) -> bool {
        self.inodes[id.index()].flags & IMPLIED != 0
    }

    /// Whether a directory hides the lower layers' children.
    pub fn is_opaque(&self, id: InodeId) -> bool {
        self.inodes[id.index()].flags & OPAQUE != 0
    }

    /// What an inode holds.
    pub fn content(&self, id: InodeId) -> Content<'_> {
        let inode = &self.inodes[id.index()];
        match inode.kind {
            NodeKind::Regular => Content::Regular {
                size: inode.size,
                body: if inode.flags & PIECES != 0 {
                    Body::Extents(&self.extents[unpack(inode.body)])
                } else {
                    Body::Contiguous(Place::Device { device: inode.device, offset: inode.body })
                },
            },
            NodeKind::Directory => Content::Directory,
            NodeKind::Symlink | NodeKind::PendingLink => {
                Content::Target(&self.bytes[inode.body as usize..][..inode.size as usize])
            }
            NodeKind::CharDevice | NodeKind::BlockDevice => {
                Content::Device(DeviceNumber::decode(inode.body as u32))
            }
            NodeKind::Fifo | NodeKind::Socket | NodeKind::Whiteout => Content::Nothing,
        }
    }

    /// Bytes that the tree carries itself, of an extent at [`Place::Carried`].
    pub fn carried(&self, offset: u64, len: u64) -> &[u8] {
        &self.bytes[offset as usize..][..len as usize]
    }

    /// Names and inodes in a directory, in ascending byte order; none of what is not a directory.
    pub fn children(&self, id: InodeId) -> impl ExactSizeIterator<Item = (&[u8], InodeId)> {
        let inode = &self.inodes[id.index()];
        let range = if inode.kind == NodeKind::Directory { unpack(inode.body) } else { 0..0 };
        self.links[range].iter().map(|link| (self.name(link), InodeId(link.inode)))
    }

    /// The child at `index` of a directory, counted in ascending byte order of the names.
    pub fn nth_child(&self, id: InodeId, index: usize) -> Option<(&[u8], InodeId)> {
        let inode = &self.inodes[id.index()];
        let range = if inode.kind == NodeKind::Directory { unpack(inode.body) } else { 0..0 };
        let link = self.links[range].get(index)?;
        Some((self.name(link), InodeId(link.inode)))
    }

    /// The child of a directory with this name.
    pub fn child(&self, id: InodeId, name: &[u8]) -> Option<InodeId> {
        let inode = &self.inodes[id.index()];
        let range = if inode.kind == NodeKind::Directory { unpack(inode.body) } else { 0..0 };
        let links = &self.links[range];
        let at = links.binary_search_by(|link| self.name(link).cmp(name)).ok()?;
        Some(InodeId(links[at].inode))
    }

    /// The inode at a path below the root, `/` between names; symbolic links are not followed.
    pub fn lookup(&self, path: &[u8]) -> Option<InodeId> {
        path.split(|b| *b == b'/')
            .filter(|name| !name.is_empty() && *name != b".")
            .try_fold(InodeId::ROOT, |at, name| self.child(at, name))
    }

    /// Extended attributes with full names, in ascending order of names.
    pub fn xattrs(&self, id: InodeId) -> XattrIter<'_> {
        XattrIter { rest: self.xattr_set_of(id).map_or(&[], |set| self.xattr_set(set)) }
    }

    pub(crate) fn has_xattrs(&self, id: InodeId) -> bool {
        self.xattr_number(id) != 0
    }

    /// The index of an inode's xattr set plus one, or 0.
    pub(crate) fn xattr_number(&self, id: InodeId) -> u32 {
        self.access_of(id).xattrs
    }

    /// The set that an inode has, if any.
    pub(crate) fn xattr_set_of(&self, id: InodeId) -> Option<u32> {
        self.xattr_number(id).checked_sub(1)
    }

    fn access_of(&self, id: InodeId) -> Access {
        self.access[self.inodes[id.index()].access as usize]
    }

    pub(crate) fn xattr_set_count(&self) -> u32 {
        self.xattr_sets.len() as u32
    }

    pub(crate) fn xattr_set(&self, set: u32) -> &[u8] {
        let (start, len) = self.xattr_sets[set as usize];
        &self.bytes[start as usize..][..len as usize]
    }

    pub(crate) fn name(&self, link: &Link) -> &[u8] {
        &self.names[link.name as usize..][..usize::from(link.name_len)]
    }

    /// A path of an inode, for messages; `/` for the root. Takes time linear in the tree.
    pub fn path_of(&self, id: InodeId) -> Vec<u8> {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut at = id.0;
        while at != 0 {
            let Some(link) = self.links.iter().find(|link| link.inode == at) else { break };
            parts.push(self.name(link));
            at = link.parent;
        }
        let mut path = Vec::new();
        for part in parts.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(part);
        }
        if path.is_empty() { alloc::vec![b'/'] } else { path }
    }
}

/// Iterator over the extended attributes of an inode: full name and value.
///
/// ```
/// use erofs_tarfs::tree::{Attributes, Builder, InodeId};
///
/// let mut builder = Builder::new();
/// let pairs = [(&b"user.owner"[..], &b"web"[..]), (b"trusted.overlay.origin", b"")];
/// let set = builder.xattrs(&mut pairs.to_vec())?;
/// builder.set(InodeId::ROOT, Attributes { mode: 0o755, ..Attributes::default() }, set);
/// let tree = builder.finish()?;
/// let names: Vec<_> = tree.xattrs(InodeId::ROOT).map(|(name, _)| name).collect();
/// assert_eq!(names, [&b"trusted.overlay.origin"[..], b"user.owner"]); // sorted
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct XattrIter<'a> {
    rest: &'a [u8],
}

impl<'a> XattrIter<'a> {
    pub(crate) fn over(set: &'a [u8]) -> Self {
        Self { rest: set }
    }
}

impl<'a> Iterator for XattrIter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name_len, rest) = self.rest.split_first_chunk()?;
        let (value_len, rest) = rest.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*name_len) as usize)?;
        let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_len) as usize)?;
        self.rest = rest;
        Some((name, value))
    }
}
