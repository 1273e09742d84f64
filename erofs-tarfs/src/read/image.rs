//! An image, and checked access to its bytes.

use super::Error;
use super::devices::{Devices, mark};
use super::prefixes::Prefixes;
use super::source::{Bytes, ReadImage};
use crate::format::{
    Compat, DiskMark, Incompat, SUPERBLOCK_MAGIC, SUPERBLOCK_OFFSET, Superblock, checksum, covered,
};
use crate::units::BlockSize;
use core::fmt;
use zerocopy::FromBytes;

/// The bytes of an EROFS image whose superblock and device slots were checked and are sound: in memory
/// ([`Image::new`]), or read when they are needed ([`Image::over`]).
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
    pub(super) bytes: Bytes<'a>,
    pub(super) superblock: Superblock,
    pub(super) block_size: BlockSize,
    checksum: Option<bool>,
    mark: Option<DiskMark>,
    pub(super) devices: Devices<'a>,
    pub(super) prefixes: Prefixes<'a>,
}

impl<'a> Image<'a> {
    /// Checks superblock, checksum and device table of an image in memory, which it borrows.
    ///
    /// # Errors
    /// [`Error::Short`], [`Error::Magic`], [`Error::Checksum`] and the others that are about the head of an
    /// image.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::of(Bytes::Memory(bytes))
    }

    /// The same of an image that is read piece by piece, when something is asked of it: nothing but the
    /// device table and the prefixes of xattr names is kept. No more than 256 MiB of each kind of metadata are
    /// taken of it, as a sparse file may be of any length ([`Rule::TooMuchRead`](super::Rule)).
    ///
    /// ```
    /// use erofs_tarfs::{io, layout, read::Image};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::layer_of;
    ///
    /// let tree = layer_of(&[("etc/motd", "hello\n")]);
    /// let file = io::NamedFile::new("base.erofs", tempfile::tempfile()?);
    /// io::write_metadata(&layout::plan(&tree, &layout::LayoutOptions::default())?, &file)?;
    /// let image = Image::over(&file)?;
    /// let motd = image.lookup(b"etc/motd")?.expect("it is there");
    /// assert_eq!(image.inode(motd)?.size(), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Image::new`]; [`Error::Read`] if the reader fails.
    pub fn over(reader: &'a dyn ReadImage) -> Result<Self, Error> {
        let len = reader.len().map_err(|fault| Error::Read { offset: 0, fault })?;
        Self::of(Bytes::Reader { reader, len })
    }

    fn of(bytes: Bytes<'a>) -> Result<Self, Error> {
        let at = SUPERBLOCK_OFFSET;
        let short = |len| Error::Short { needed: at.saturating_add(len as u64) };
        let len = size_of::<Superblock>();
        let raw = bytes.get(at, len as u64)?.ok_or_else(|| short(len))?;
        let superblock = Superblock::read_from_bytes(&raw).map_err(|_| short(len))?;
        if superblock.magic.get() != SUPERBLOCK_MAGIC {
            return Err(Error::Magic(superblock.magic.get()));
        }
        let block_size = BlockSize::from_bits(superblock.blkszbits)
            .ok_or(Error::BlockBits(superblock.blkszbits))?;
        let checksum = if superblock.compat().contains(Compat::SB_CHKSUM) {
            let len = covered(block_size.bytes());
            let covered = bytes.get(at, len as u64)?.ok_or_else(|| short(len))?;
            if checksum(&covered) != superblock.checksum.get() {
                return Err(Error::Checksum);
            }
            Some(true)
        } else {
            None
        };
        let unknown = superblock.incompat().difference(Incompat::all());
        if !unknown.is_empty() {
            return Err(Error::Features(unknown.bits()));
        }
        if superblock.dirblkbits != 0 {
            return Err(Error::DirectoryBlockBits(superblock.dirblkbits));
        }
        let mark = mark(bytes)?;
        let devices = Devices::new(bytes, &superblock, mark.as_ref())?;
        let prefixes = Prefixes::new(bytes, &superblock)?;
        Ok(Self { bytes, superblock, block_size, checksum, mark, devices, prefixes })
    }

    /// The superblock.
    pub fn superblock(&self) -> &Superblock {
        &self.superblock
    }

    /// The block size.
    pub fn block_size(&self) -> BlockSize {
        self.block_size
    }

    /// Whether the superblock's checksum holds; `None` where it has none. Never `Some(false)`,
    /// because such an image is refused.
    pub fn checksum(&self) -> Option<bool> {
        self.checksum
    }

    /// Length in bytes of the disk that this image is, a hash tree behind it not counted: its file
    /// has at least so many, or it was cut short.
    ///
    /// `None` of a bootstrap, and of disks from before format version 3, which do not say so.
    pub fn disk_bytes(&self) -> Option<u64> {
        self.mark.map(|mark| mark.bytes.get())
    }

    /// nid of the root directory.
    pub fn root(&self) -> u64 {
        self.superblock.root_nid()
    }

    /// Length in bytes of the image.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len()
    }

    /// Byte offset of a block address, which has at most 48 bits.
    pub(super) fn block_offset(&self, block: u64) -> u64 {
        block << self.block_size.bits()
    }
}

impl fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("bytes", &self.bytes.len())
            .field("superblock", &self.superblock)
            .field("devices", &self.devices())
            .finish()
    }
}
