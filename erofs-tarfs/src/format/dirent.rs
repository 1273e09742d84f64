//! Directory entries.

use zerocopy::little_endian::{U16, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// One directory entry: 12 bytes at the head of a directory block, its name further down.
///
/// A directory is a sequence of blocks; each holds `n` dirents and then `n` names without
/// separators, so `nameoff` of the first dirent is `12 * n`. Names are in ascending order of
/// unsigned bytes over the whole directory, `.` and `..` among them.
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
