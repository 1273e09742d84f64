//! What disks say of themselves where no reader of EROFS looks.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Byte offset of a [`DiskMark`]: in the boot area before the superblock.
pub const DISK_MARK_OFFSET: u64 = 512;

/// [`DiskMark::magic`].
pub const DISK_MARK_MAGIC: [u8; 8] = *b"TARFSDSK";

/// Says that an image is a disk, with its devices in its own file, and how long that is.
///
/// A bootstrap may have the same superblock and device table as a disk, so these do not tell
/// whether a file that ends with its metadata is a bootstrap or a disk that was cut short.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct DiskMark {
    /// [`DISK_MARK_MAGIC`].
    pub magic: [u8; 8],
    /// Length of the disk in bytes, without a hash tree behind it.
    pub bytes: U64,
}

const _: () = assert!(size_of::<DiskMark>() == 16);
