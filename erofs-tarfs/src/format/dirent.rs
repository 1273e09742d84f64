//! Directory entries.

use zerocopy::little_endian::{U16, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// One directory entry: 12 bytes at the head of a directory block, its name further down.
///
/// A directory is a sequence of blocks; each holds `n` dirents and then `n` names without
/// separators, so `nameoff` of the first dirent is `12 * n`. Names are in ascending order of
/// unsigned bytes over the whole directory, `.` and `..` among them.
///
/// ```
/// use erofs_tarfs::format::{Dirent, FileType, zerocopy::IntoBytes};
///
/// // The first of three entries of a block: its name is behind all three.
/// let file_type = FileType::Directory as u8;
/// let first = Dirent { nid: 36.into(), nameoff: (3 * 12).into(), file_type, reserved: 0 };
/// assert_eq!(first.as_bytes(), [36, 0, 0, 0, 0, 0, 0, 0, 36, 0, 2, 0]);
/// ```
///
/// # References
/// `struct erofs_dirent` in Linux, `fs/erofs/erofs_fs.h`; `fs/erofs/namei.c` for the search.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Dirent {
    /// Node id.
    pub nid: U64,
    /// Byte offset of the name from the start of this directory block.
    pub nameoff: U16,
    /// [`FileType`].
    pub file_type: u8,
    /// 0.
    pub reserved: u8,
}

const _: () = assert!(size_of::<Dirent>() == 12);

/// The type in a [`Dirent`], as `readdir` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FileType {
    /// Not known; readers look at the inode.
    Unknown = 0,
    /// Regular file.
    Regular = 1,
    /// Directory.
    Directory = 2,
    /// Character device.
    CharDevice = 3,
    /// Block device.
    BlockDevice = 4,
    /// FIFO.
    Fifo = 5,
    /// Socket.
    Socket = 6,
    /// Symbolic link.
    Symlink = 7,
}
