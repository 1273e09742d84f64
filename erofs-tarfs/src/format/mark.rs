//! What disks say of themselves where no reader of EROFS looks.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Byte offset of a [`DiskMark`]: in the boot area before the superblock.
pub const DISK_MARK_OFFSET: u64 = 512;

/// [`DiskMark::magic`].
pub const DISK_MARK_MAGIC: [u8; 8] = *b"TARFSDSK";

/// Says that an image is a disk, how long it is, and which devices lie in it.
///
/// A disk has no device table: to kernels and other readers it is one device with all files in it.
/// What merging it with others needs, and what shows it to people, are the slots that a device
/// table would have; the superblock does not tell of them.
///
/// ```
/// use erofs_tarfs::format::{DISK_MARK_OFFSET, DiskMark, zerocopy::FromBytes};
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let (tree, options) = (layer_of(&[("etc/motd", "hello\n")]), LayoutOptions::disk());
/// let layout = plan(&tree, &options)?;
/// let head = erofs_tarfs::image::head(&layout);
/// let at = DISK_MARK_OFFSET as usize;
/// let mark = DiskMark::ref_from_bytes(&head[at..at + 24]).expect("24 bytes");
/// assert_eq!((mark.bytes.get(), mark.devices.get()), (layout.disk_bytes(), 1));
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct DiskMark {
    /// [`DISK_MARK_MAGIC`].
    pub magic: [u8; 8],
    /// Length of the disk in bytes, without a hash tree behind it.
    pub bytes: U64,
    /// Number of [`DeviceSlot`](super::DeviceSlot)s.
    pub devices: U32,
    /// Offset of the first from the start of the disk, in units of 128 bytes.
    pub slotoff: U32,
}

const _: () = assert!(size_of::<DiskMark>() == 24);
