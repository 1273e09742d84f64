//! Inodes.

use super::{Error, Image, Rule};
use crate::format::{
    ChunkFormat, CompactInode, DataLayout, ExtendedInode, Format, HOLE, IMPLIED_MARK, SLOT_SIZE,
};
use crate::tree::{Attributes, NodeKind};
use crate::units::{DeviceNumber, Timestamp};
use alloc::borrow::Cow;
use zerocopy::FromBytes;

/// An inode of an [`Image`], decoded.
///
/// ```
/// use erofs_tarfs::{format::DataLayout, image, layout, read::Image, tree::NodeKind};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let image = Image::new(&bytes)?;
/// let inode = image.inode(image.lookup(b"etc/motd")?.expect("it is there"))?;
/// assert_eq!((inode.kind(), inode.attributes().mode), (NodeKind::Regular, 0o644));
/// assert_eq!((inode.layout(), inode.is_extended()), (DataLayout::ChunkBased, false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inode {
    nid: u64,
    offset: u64,
    extended: bool,
    bit4: bool,
    implied: bool,
    kind: NodeKind,
    layout: DataLayout,
    attributes: Attributes,
    nlink: u32,
    size: u64,
    ino: u32,
    /// The field `i_u` as stored. Type and layout say what it means.
    u: u32,
    /// Start block of flat data; `None` for a hole.
    start: Option<u64>,
    /// Length of the xattr body.
    xattr_len: u32,
}

impl Inode {
    /// The node id.
    pub fn nid(&self) -> u64 {
        self.nid
    }

    /// Byte offset in the image.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The file type; a whiteout is a [`NodeKind::CharDevice`] here.
    pub fn kind(&self) -> NodeKind {
        self.kind
    }

    /// Permission bits, owner and time.
    pub fn attributes(&self) -> Attributes {
        self.attributes
    }

    /// Number of links, as stored.
    pub fn nlink(&self) -> u32 {
        self.nlink
    }

    /// Length in bytes, as stored.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Serial number, as stored: for 32-bit `stat` alone.
    pub fn ino(&self) -> u32 {
        self.ino
    }

    /// How the data is laid out.
    pub fn layout(&self) -> DataLayout {
        self.layout
    }

    /// Whether the inode takes 64 bytes, not 32.
    pub fn is_extended(&self) -> bool {
        self.extended
    }

    /// Whether it's a directory that no tar lists, as this crate marks it.
    pub fn is_implied(&self) -> bool {
        self.implied && self.kind == NodeKind::Directory
    }

    /// The device number of a character or block device.
    pub fn device(&self) -> Option<DeviceNumber> {
        matches!(self.kind, NodeKind::CharDevice | NodeKind::BlockDevice)
            .then(|| DeviceNumber::decode(self.u))
    }

    /// Whether it's a whiteout as overlayfs has it: character device 0:0.
    pub fn is_whiteout(&self) -> bool {
        self.kind == NodeKind::CharDevice && self.device() == Some(DeviceNumber::default())
    }

    /// What the chunk table looks like, of a chunk-based file.
    pub fn chunk_format(&self) -> Option<ChunkFormat> {
        // The upper half is reserved, and not looked at by kernels.
        (self.layout == DataLayout::ChunkBased).then_some(ChunkFormat(self.u & 0xffff))
    }

    /// Whether the directory may lack an entry `.`.
    pub(super) fn dot_omitted(&self) -> bool {
        self.bit4
    }

    pub(super) fn start(&self) -> Option<u64> {
        self.start
    }

    /// Byte offset and length of the xattr body.
    pub(super) fn xattr_body(&self) -> (u64, u64) {
        (self.offset.saturating_add(self.header_len()), self.xattr_len.into())
    }

    /// Byte offset of what follows the xattr body: inline tail or chunk table.
    pub(super) fn payload(&self) -> u64 {
        let (body, len) = self.xattr_body();
        body.saturating_add(len)
    }

    fn header_len(&self) -> u64 {
        if self.extended { 64 } else { 32 }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn fault(&self, offset: u64, rule: Rule) -> Error {
        Error::Inode { nid: self.nid, offset, rule }
    }
}

impl<'a> Image<'a> {
    /// `len` bytes from `offset` on, on behalf of an inode.
    pub(super) fn slice_of(
        &self,
        inode: &Inode,
        offset: u64,
        len: u64,
    ) -> Result<Cow<'a, [u8]>, Error> {
        self.bytes.get(offset, len)?.ok_or_else(|| inode.fault(offset, Rule::WithinImage))
    }

    /// Decodes an inode.
    ///
    /// # Errors
    /// [`Error::Inode`] names the nid, the byte and the rule that is broken; [`Error::Read`].
    pub fn inode(&self, nid: u64) -> Result<Inode, Error> {
        let base = self.block_offset(self.superblock.meta_blkaddr.get().into());
        let fault = |offset, rule| Error::Inode { nid, offset, rule };
        if nid >> 63 != 0 {
            return Err(fault(0, Rule::Metabox));
        }
        // Below the image's length, which is far below 2^64: so no sum that follows, with the lengths
        // of inode and attributes, comes near its limit.
        let offset = nid
            .checked_mul(SLOT_SIZE)
            .and_then(|at| at.checked_add(base))
            .filter(|at| *at < self.len())
            .ok_or_else(|| fault(base, Rule::WithinImage))?;
        let outside = || fault(offset, Rule::WithinImage);
        // A compact one may be the last 32 bytes of the image.
        let raw = self
            .bytes
            .get(offset, 64.min(self.len().saturating_sub(offset)))?
            .ok_or_else(outside)?;
        let (compact, _) = CompactInode::ref_from_prefix(&raw).map_err(|_| outside())?;
        let format = Format(compact.format.get());
        let layout = format
            .layout()
            .filter(|_| !format.has_unknown_bits())
            .ok_or_else(|| fault(offset, Rule::KnownFormat))?;
        let mode = compact.mode.get();
        let kind = kind(mode).ok_or_else(|| fault(offset, Rule::FileType))?;
        let icount = u32::from(compact.xattr_icount.get());
        let mut inode = Inode {
            nid,
            offset,
            extended: format.is_extended(),
            bit4: format.bit4(),
            implied: false,
            kind,
            layout,
            attributes: Attributes::default(),
            nlink: 1,
            size: 0,
            ino: 0,
            u: 0,
            start: None,
            xattr_len: icount.checked_sub(1).map_or(0, |n| n.saturating_mul(4).saturating_add(12)),
        };
        if inode.extended {
            let (extended, _) = ExtendedInode::ref_from_prefix(&raw).map_err(|_| outside())?;
            inode.fill_extended(extended);
        } else {
            inode.fill_compact(compact);
            let sb = &self.superblock;
            inode.attributes.mtime = Timestamp {
                secs: sb.epoch.get().saturating_add(compact.mtime.get().into()),
                nanos: sb.fixed_nsec.get(),
            };
        }
        inode.attributes.mode = mode & 0o7777;
        if inode.size > i64::MAX as u64 {
            return Err(fault(offset, Rule::Size));
        }
        if inode.attributes.mtime.nanos >= 1_000_000_000 {
            return Err(fault(offset, Rule::Nanoseconds));
        }
        Ok(inode)
    }
}

impl Inode {
    fn fill_compact(&mut self, raw: &CompactInode) {
        self.attributes.uid = raw.uid.get().into();
        self.attributes.gid = raw.gid.get().into();
        self.size = raw.size.get().into();
        self.ino = raw.ino.get();
        self.u = raw.u.get();
        self.implied = raw.reserved.get() == IMPLIED_MARK;
        if self.bit4 && self.kind != NodeKind::Directory {
            self.start = wide_start(self.u, raw.nb.get());
        } else {
            self.nlink = raw.nb.get().into();
            self.start = (self.u != HOLE).then_some(self.u.into());
        }
    }

    fn fill_extended(&mut self, raw: &ExtendedInode) {
        self.attributes.uid = raw.uid.get();
        self.attributes.gid = raw.gid.get();
        self.attributes.mtime = Timestamp { secs: raw.mtime.get(), nanos: raw.mtime_nsec.get() };
        self.size = u64::from(raw.size_lo.get()) | u64::from(raw.size_hi.get()) << 32;
        self.ino = raw.ino.get();
        self.u = raw.u.get();
        self.nlink = raw.nlink.get();
        self.implied = raw.reserved.get() == IMPLIED_MARK;
        self.start = wide_start(self.u, raw.nb.get());
    }
}

/// A start block of 48 bits; `None` for a hole.
fn wide_start(lo: u32, hi: u16) -> Option<u64> {
    (lo != HOLE || hi != u16::MAX).then_some(u64::from(lo) | u64::from(hi) << 32)
}

fn kind(mode: u16) -> Option<NodeKind> {
    Some(match mode & 0xf000 {
        0x1000 => NodeKind::Fifo,
        0x2000 => NodeKind::CharDevice,
        0x4000 => NodeKind::Directory,
        0x6000 => NodeKind::BlockDevice,
        0x8000 => NodeKind::Regular,
        0xa000 => NodeKind::Symlink,
        0xc000 => NodeKind::Socket,
        _ => return None,
    })
}
