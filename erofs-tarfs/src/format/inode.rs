//! Inodes, and the chunk tables behind them.

use zerocopy::little_endian::{I64, U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes in the slot that nids count: an inode starts at `meta_blkaddr * block + 32 * nid`.
pub const SLOT_SIZE: u64 = 32;

/// A block address that says "hole", in 32-bit chunk indexes and block maps.
pub const HOLE: u32 = u32::MAX;

/// What this crate writes into the first reserved word of the inode of an implied directory, one
/// that a tar never lists: `IMPL`. Kernels don't read the word.
pub const IMPLIED_MARK: u32 = u32::from_le_bytes(*b"IMPL");

/// How the data of an inode is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum DataLayout {
    /// Consecutive blocks.
    FlatPlain = 0,
    /// Compressed, with full indexes.
    CompressedFull = 1,
    /// Consecutive blocks, the last, partial one behind the inode and within its block.
    FlatInline = 2,
    /// Compressed, with compact indexes.
    CompressedCompact = 3,
    /// A table of chunks.
    ChunkBased = 4,
}

/// The word `i_format`: inode version and data layout.
///
/// ```
/// use erofs_tarfs::format::{DataLayout, Format};
///
/// let format = Format::new(true, DataLayout::ChunkBased);
/// assert_eq!(format, Format(0b1001)); // bit 0: 64 bytes; bits 1 to 3: the layout
/// assert_eq!(format.layout(), Some(DataLayout::ChunkBased));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format(pub u16);

impl Format {
    const NLINK_1: u16 = 1 << 4;

    /// The word of a compact or extended inode with this layout.
    pub const fn new(extended: bool, layout: DataLayout) -> Self {
        Self((layout as u16) << 1 | extended as u16)
    }

    /// Whether the inode is an [`ExtendedInode`] rather than a [`CompactInode`].
    pub const fn is_extended(self) -> bool {
        self.0 & 1 != 0
    }

    /// The data layout, if it is a known one.
    pub const fn layout(self) -> Option<DataLayout> {
        Some(match self.0 >> 1 & 7 {
            0 => DataLayout::FlatPlain,
            1 => DataLayout::CompressedFull,
            2 => DataLayout::FlatInline,
            3 => DataLayout::CompressedCompact,
            4 => DataLayout::ChunkBased,
            _ => return None,
        })
    }

    /// Whether bit 4 is set: `NLINK_1` of a compact file, `DOT_OMITTED` of a directory (Linux 6.15).
    pub const fn bit4(self) -> bool {
        self.0 & Self::NLINK_1 != 0
    }

    /// Whether bits are set that no kernel knows.
    pub const fn has_unknown_bits(self) -> bool {
        self.0 & !0x1f != 0
    }
}

/// The short inode: 32 bytes.
///
/// ```
/// use erofs_tarfs::format::{CompactInode, SLOT_SIZE, zerocopy::FromBytes};
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let bytes = image::bootstrap(&layout);
/// let root = (layout.root_nid() * SLOT_SIZE) as usize; // byte of the image
/// let inode = CompactInode::ref_from_bytes(&bytes[root..root + 32]).expect("32 bytes");
/// assert_eq!(inode.mode.get(), 0o040_755); // a directory
/// # Ok::<(), layout::Error>(())
/// ```
///
/// # References
/// `struct erofs_inode_compact` in Linux, `fs/erofs/erofs_fs.h`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct CompactInode {
    /// [`Format`].
    pub format: U16,
    /// Size of the xattr body: 0 for none, else `12 + 4 * (n - 1)` bytes.
    pub xattr_icount: U16,
    /// File type and permission bits.
    pub mode: U16,
    /// Number of links, or with `NLINK_1` bits 32–47 of the start block.
    pub nb: U16,
    /// Length in bytes.
    pub size: U32,
    /// Seconds after the superblock's `epoch` (Linux 6.15; before, the epoch alone counts).
    pub mtime: U32,

    /// Start block, device number or [`ChunkFormat`], by type and layout.
    pub u: U32,
    /// Serial number, for 32-bit `stat` alone.
    pub ino: U32,
    /// Owner.
    pub uid: U16,
    /// Group.
    pub gid: U16,
    /// 0, or [`IMPLIED_MARK`].
    pub reserved: U32,
}

const _: () = assert!(size_of::<CompactInode>() == 32);

/// The long inode: 64 bytes.
///
/// # References
/// `struct erofs_inode_extended` in Linux, `fs/erofs/erofs_fs.h`.
///
/// ```
/// use erofs_tarfs::format::{ExtendedInode, SLOT_SIZE, zerocopy::FromBytes};
/// use erofs_tarfs::tree::{Attributes, Builder, InodeId, XattrSet};
/// use erofs_tarfs::{image, layout};
///
/// // An owner of more than 16 bits does not fit the short one.
/// let mut builder = Builder::new();
/// let attributes = Attributes { mode: 0o755, uid: 100_000, ..Attributes::default() };
/// builder.set(InodeId::ROOT, attributes, XattrSet::NONE);
/// let tree = builder.finish()?;
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let (bytes, at) = (image::bootstrap(&layout), (layout.root_nid() * SLOT_SIZE) as usize);
/// let root = ExtendedInode::ref_from_bytes(&bytes[at..at + 64]).expect("64 bytes");
/// assert_eq!((root.uid.get(), root.nlink.get()), (100_000, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ExtendedInode {
    /// [`Format`].
    pub format: U16,
    /// Size of the xattr body: 0 for none, else `12 + 4 * (n - 1)` bytes.
    pub xattr_icount: U16,
    /// File type and permission bits.
    pub mode: U16,
    /// Bits 32–47 of the start block.
    pub nb: U16,
    /// Length in bytes, bits 0–31.
    pub size_lo: U32,
    /// Length in bytes, bits 32–63.
    pub size_hi: U32,

    /// Start block, device number or [`ChunkFormat`], by type and layout.
    pub u: U32,
    /// Serial number, for 32-bit `stat` alone.
    pub ino: U32,
    /// Owner.
    pub uid: U32,
    /// Group.
    pub gid: U32,

    /// Modification time, seconds since 1970.
    pub mtime: I64,
    /// Modification time, nanoseconds.
    pub mtime_nsec: U32,
    /// Number of links.
    pub nlink: U32,

    /// 0, or [`IMPLIED_MARK`].
    pub reserved: U32,
    /// 0.
    pub reserved2: [u8; 12],
}

const _: () = assert!(size_of::<ExtendedInode>() == 64);

/// The word that says what a chunk table looks like, in `u` of a chunk-based inode.
///
/// ```
/// use erofs_tarfs::format::ChunkFormat;
///
/// let format = ChunkFormat::indexes(3); // chunks of 4096 bytes, where blocks have 512
/// assert_eq!((512 << format.shift(), format.has_indexes()), (4096, true));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChunkFormat(pub u32);

impl ChunkFormat {
    /// A table of [`ChunkIndex`] for chunks of `block << shift` bytes, `shift` at most 31.
    pub const fn indexes(shift: u8) -> Self {
        Self(0x20 | (shift & 0x1f) as u32)
    }

    /// A table of 32-bit block numbers for chunks of `block << shift` bytes, `shift` at most 31.
    pub const fn block_map(shift: u8) -> Self {
        Self((shift & 0x1f) as u32)
    }

    /// Chunk size as a shift of the block size.
    pub const fn shift(self) -> u8 {
        (self.0 & 0x1f) as u8
    }

    /// Whether entries are [`ChunkIndex`]es; else they are 32-bit block numbers.
    pub const fn has_indexes(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Whether block addresses have 48 bits.
    pub const fn is_48bit(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Whether bits are set that no kernel knows.
    pub const fn has_unknown_bits(self) -> bool {
        self.0 & !0x7f != 0
    }
}

/// Where one chunk lies: 8 bytes, the table aligned to 8.
///
/// ```
/// use erofs_tarfs::format::{ChunkIndex, zerocopy::IntoBytes};
///
/// // From block 1 of the device in slot 0 on.
/// let index = ChunkIndex { startblk_hi: 0.into(), device_id: 1.into(), startblk_lo: 1.into() };
/// assert_eq!(index.as_bytes(), [0, 0, 1, 0, 1, 0, 0, 0]);
/// ```
///
/// # References
/// `struct erofs_inode_chunk_index` in Linux, `fs/erofs/erofs_fs.h`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ChunkIndex {
    /// Bits 32–47 of the start block, with [`ChunkFormat::is_48bit`].
    pub startblk_hi: U16,
    /// 0 for the unified address space, `k` for device slot `k - 1`.
    pub device_id: U16,
    /// Start block from the start of the device, bits 0–31; [`HOLE`] for zeros.
    pub startblk_lo: U32,
}

const _: () = assert!(size_of::<ChunkIndex>() == 8);
