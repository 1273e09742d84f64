//! The superblock and its feature bits.

use bitflags::bitflags;
use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `EROFS_SUPER_MAGIC_V1`.
pub const SUPERBLOCK_MAGIC: u32 = 0xE0F5_E1E2;

/// Byte offset of the superblock in the primary device. What lies before is free for anybody.
pub const SUPERBLOCK_OFFSET: u64 = 1024;

/// Byte offset at which this crate puts the device table: right behind the superblock.
pub const DEVICE_TABLE_OFFSET: u64 = 1152;

bitflags! {
    /// Features that a kernel may ignore.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Compat: u32 {
        /// `checksum` is valid (Linux 5.5).
        const SB_CHKSUM = 0x01;
        /// Stored times are modification times.
        const MTIME = 0x02;
        /// `name_filter` of xattr bodies is valid (Linux 6.6).
        const XATTR_FILTER = 0x04;
        /// Shared xattrs lie in the metabox inode (Linux 6.17).
        const SHARED_EA_IN_METABOX = 0x08;
        /// The long-prefix table lies at a plain offset of the device (Linux 6.17).
        const PLAIN_XATTR_PFX = 0x10;
        /// A private bit of RAFS, the format of Nydus: fields of its own follow the superblock, and
        /// the blocks that this counts are those of the extra devices.
        const RAFS = 0x4000_0000;
    }

    /// Features that a kernel must know, or refuse the mount.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Incompat: u32 {
        /// LZ4 with leading zeros (Linux 5.4).
        const ZERO_PADDING = 0x001;
        /// Compression configurations, big physical clusters (Linux 5.13).
        const COMPR_CFGS = 0x002;
        /// Chunk-based files (Linux 5.15).
        const CHUNKED_FILE = 0x004;
        /// A table of extra devices (Linux 5.16).
        const DEVICE_TABLE = 0x008;
        /// Compressed tails kept inline (Linux 5.17).
        const ZTAILPACKING = 0x010;
        /// Fragments and deduplication of compressed data (Linux 6.1).
        const FRAGMENTS = 0x020;
        /// Long xattr name prefixes (Linux 6.4).
        const XATTR_PREFIXES = 0x040;
        /// 48-bit block addresses, 64-bit root nid, mtimes in compact inodes (Linux 6.15).
        const BIT48 = 0x080;
        /// Metadata in a metabox inode (Linux 6.17).
        const METABOX = 0x100;
    }
}

/// The superblock: 128 bytes at [`SUPERBLOCK_OFFSET`] of the primary device.
///
/// ```
/// use erofs_tarfs::format::{Compat, Incompat, SUPERBLOCK_OFFSET, Superblock, zerocopy::FromBytes};
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let bytes = image::bootstrap(&layout);
/// let at = SUPERBLOCK_OFFSET as usize;
/// let superblock = Superblock::ref_from_bytes(&bytes[at..at + 128]).expect("128 bytes");
/// assert_eq!((superblock.blkszbits, superblock.root_nid()), (9, layout.root_nid())); // 2^9 = 512
/// assert_eq!(superblock.compat(), Compat::MTIME);
/// assert_eq!(superblock.incompat(), Incompat::CHUNKED_FILE | Incompat::DEVICE_TABLE);
/// # Ok::<(), layout::Error>(())
/// ```
///
/// # References
/// `struct erofs_super_block` in Linux, `fs/erofs/erofs_fs.h`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Superblock {
    /// [`SUPERBLOCK_MAGIC`].
    pub magic: U32,
    /// CRC-32C, see [`checksum`](super::checksum()); valid with [`Compat::SB_CHKSUM`].
    pub checksum: U32,
    /// [`Compat`] bits.
    pub feature_compat: U32,
    /// Binary logarithm of the block size in bytes.
    pub blkszbits: u8,
    /// Superblock extension, in slots of 16 bytes.
    pub sb_extslots: u8,
    /// nid of the root directory; with [`Incompat::BIT48`] and `rootnid_8b`, block count bits 32–47.
    pub rootnid_2b: U16,

    /// Number of inodes, for `statfs` alone.
    pub inos: U64,
    /// Seconds that compact inodes count from, and their time itself before Linux 6.15.
    pub epoch: I64,

    /// Nanoseconds of every compact inode.
    pub fixed_nsec: U32,
    /// Blocks of the primary device, bits 0–31.
    pub blocks_lo: U32,
    /// Block from which nids count.
    pub meta_blkaddr: U32,
    /// Block from which shared xattr ids count.
    pub xattr_blkaddr: U32,

    /// UUID of the filesystem, in the byte order of RFC 4122.
    pub uuid: [u8; 16],

    /// Volume label, with a NUL within.
    pub volume_name: [u8; 16],

    /// [`Incompat`] bits.
    pub feature_incompat: U32,
    /// Compression algorithms; 0 without compression.
    pub compr_algs: U16,
    /// Number of [`DeviceSlot`](super::DeviceSlot)s.
    pub extra_devices: U16,
    /// Offset of the device table from the start of the device, in units of 128 bytes.
    pub devt_slotoff: U16,
    /// Binary logarithm of blocks in a directory block; 0.
    pub dirblkbits: u8,
    /// Number of long xattr prefixes.
    pub xattr_prefix_count: u8,
    /// Offset of the long-prefix table, in units of 4 bytes.
    pub xattr_prefix_start: U32,

    /// nid of the packed inode (fragments), or 0.
    pub packed_nid: U64,
    /// 0, or the name filter is ignored.
    pub xattr_filter_reserved: u8,
    /// Prefix of the page-cache-share fingerprint xattr.
    pub ishare_xattr_prefix_id: u8,
    /// 0.
    pub reserved: U16,
    /// Seconds from `epoch` at which the image was made; 0 without [`Incompat::BIT48`].
    pub build_time: U32,

    /// nid of the root directory with [`Incompat::BIT48`], if not 0.
    pub rootnid_8b: U64,
    /// 0.
    pub reserved2: U64,
}

const _: () = assert!(size_of::<Superblock>() == 128);

impl Superblock {
    /// nid of the root directory.
    pub fn root_nid(&self) -> u64 {
        if self.wide_root() { self.rootnid_8b.get() } else { self.rootnid_2b.get().into() }
    }

    /// Blocks of the primary device.
    pub fn blocks(&self) -> u64 {
        let hi = if self.wide_root() { u64::from(self.rootnid_2b.get()) } else { 0 };
        u64::from(self.blocks_lo.get()) | hi << 32
    }

    /// The [`Incompat`] bits, unknown ones included.
    pub fn incompat(&self) -> Incompat {
        Incompat::from_bits_retain(self.feature_incompat.get())
    }

    /// The [`Compat`] bits, unknown ones included.
    pub fn compat(&self) -> Compat {
        Compat::from_bits_retain(self.feature_compat.get())
    }

    fn wide_root(&self) -> bool {
        self.incompat().contains(Incompat::BIT48) && self.rootnid_8b.get() != 0
    }
}
