//! An image, and checked access to its bytes.

use super::Error;
use super::devices::{Devices, mark};
use super::prefixes::Prefixes;
use crate::format::{
    Compat, Incompat, SUPERBLOCK_MAGIC, SUPERBLOCK_OFFSET, Superblock, covered, verify,
};
use crate::units::BlockSize;
use core::fmt;
use zerocopy::FromBytes;

/// The bytes of an EROFS image whose superblock and device slots were checked and are sound.
///
/// Byte 0 is that of the primary device. What isn't metadata may lie elsewhere.
///
/// ```
/// use erofs_tarfs::read::{Image, StoredPlace};
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let image = Image::new(&bytes)?;
/// let motd = image.lookup(b"etc/motd")?.expect("it is there");
/// let extent = &image.extents(motd)?[0];
/// assert_eq!((image.inode(motd)?.size(), extent.len), (6, 6)); // bytes
/// assert_eq!(extent.source, StoredPlace::Device { slot: 0, offset: 512 }); // byte of the tar
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Image<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) superblock: &'a Superblock,
    pub(super) block_size: BlockSize,
    pub(super) devices: Devices<'a>,
    pub(super) prefixes: Prefixes<'a>,
}

impl<'a> Image<'a> {
    /// Checks superblock, checksum and device table of an image.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let at = SUPERBLOCK_OFFSET as usize;
        let (superblock, _) = bytes
            .get(at..)
            .and_then(|bytes| Superblock::ref_from_prefix(bytes).ok())
            .ok_or(Error::Short { needed: SUPERBLOCK_OFFSET + size_of::<Superblock>() as u64 })?;
        if superblock.magic.get() != SUPERBLOCK_MAGIC {
            return Err(Error::Magic(superblock.magic.get()));
        }
        let block_size = BlockSize::from_bits(superblock.blkszbits)
            .ok_or(Error::BlockBits(superblock.blkszbits))?;
        let needed = SUPERBLOCK_OFFSET + covered(block_size.bytes()) as u64;
        match verify(bytes) {
            Some(false) => return Err(Error::Checksum),
            None if superblock.compat().contains(Compat::SB_CHKSUM) => {
                return Err(Error::Short { needed });
            }
            _ => {}
        }
        let unknown = superblock.incompat().difference(Incompat::all());
        if !unknown.is_empty() {
            return Err(Error::Features(unknown.bits()));
        }
        if superblock.dirblkbits != 0 {
            return Err(Error::DirectoryBlockBits(superblock.dirblkbits));
        }
        let devices = Devices::new(bytes, superblock)?;
        let prefixes = Prefixes::new(bytes, superblock);
        Ok(Self { bytes, superblock, block_size, devices, prefixes })
    }

    /// The superblock.
    pub fn superblock(&self) -> &'a Superblock {
        self.superblock
    }

    /// The block size.
    pub fn block_size(&self) -> BlockSize {
        self.block_size
    }

    /// Whether the superblock's checksum holds; `None` where it has none. Never `Some(false)`,
    /// because such an image is refused.
    pub fn checksum(&self) -> Option<bool> {
        verify(self.bytes)
    }

    /// Length in bytes of the disk that this image is, a hash tree behind it not counted: its file
    /// has at least so many, or it was cut short.
    ///
    /// `None` of a bootstrap, and of disks from before format version 3, which do not say so.
    pub fn disk_bytes(&self) -> Option<u64> {
        mark(self.bytes).map(|mark| mark.bytes.get())
    }

    /// nid of the root directory.
    pub fn root(&self) -> u64 {
        self.superblock.root_nid()
    }

    /// Length in bytes of the image.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Byte offset of a block address, which has at most 48 bits.
    pub(super) fn block_offset(&self, block: u64) -> u64 {
        block << self.block_size.bits()
    }

    /// `len` bytes from `offset` on, if the image has them.
    pub(super) fn slice(&self, offset: u64, len: u64) -> Option<&'a [u8]> {
        let end = usize::try_from(offset.checked_add(len)?).ok()?;
        self.bytes.get(usize::try_from(offset).ok()?..end)
    }
}

impl fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("bytes", &self.bytes.len())
            .field("superblock", self.superblock)
            .field("devices", &self.devices())
            .finish()
    }
}
