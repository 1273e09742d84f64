//! What is wrong with an image, where, and by which rule.

use core::fmt;

/// Why an image is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The image ends before the superblock, its checksummed block or the device table does.
    Short {
        /// Bytes that the image would need.
        needed: u64,
    },
    /// The word at byte 1024 is not EROFS's magic.
    Magic(u32),
    /// Not a binary logarithm of a block size: 9 to 16.
    BlockBits(u8),
    /// Directory blocks of another size than the filesystem's, which no kernel reads.
    DirectoryBlockBits(u8),
    /// Incompatible features that nobody knows.
    Features(u32),
    /// The superblock's checksum is wrong.
    Checksum,
    /// A device slot breaks a rule.
    Device {
        /// The slot, counted from 0.
        slot: u16,
        /// The rule.
        rule: Rule,
    },
    /// The mark of a disk counts more devices than there can be.
    DiskMark {
        /// How many.
        devices: u32,
    },
    /// An inode breaks a rule, or something it refers to does.
    Inode {
        /// The inode.
        nid: u64,
        /// Byte offset in the image of what is wrong.
        offset: u64,
        /// The rule.
        rule: Rule,
    },
    /// The tree can't hold it.
    Tree(crate::tree::Error),
}

/// The rules that an image is checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Whatever an inode or slot refers to lies within the image.
    WithinImage,
    /// File data lies within its device.
    WithinDevice,
    /// Data that is reached by its address in a flat disk needs the address in the device slot.
    DeviceAddress,
    /// Ranges of devices in the unified address space are disjoint.
    DisjointDevices,
    /// A device id is that of a slot.
    DeviceId,
    /// No inode in a metabox: this reader has none.
    Metabox,
    /// `i_format` and chunk format have no unknown bits.
    KnownFormat,
    /// Compressed data isn't read.
    Uncompressed,
    /// The file type is one of seven.
    FileType,
    /// Sizes are at most 2^63 - 1.
    Size,
    /// Nanoseconds are less than a second.
    Nanoseconds,
    /// The inline tail of a file lies within one block.
    TailInBlock,
    /// Directories and symbolic links are flat, without holes, in the primary device.
    PlainMetadata,
    /// A symbolic link has a target of 1 to 4095 bytes without NUL.
    LinkTarget,
    /// The operation is one for another type of file.
    WrongType,
    /// A directory block starts with a table of entries, then their names in order.
    EntryTable,
    /// A name has 1 to 255 bytes, none of them `/` or NUL.
    Name,
    /// Names of a directory are in strictly ascending order of bytes.
    NameOrder,
    /// A directory has entries `.` and `..`.
    Dots,
    /// A directory has one name only.
    DirectoryOnce,
    /// Entries of an xattr body fit in it.
    XattrBody,
    /// An xattr's name makes sense behind its prefix.
    XattrName,
    /// A long xattr prefix is one of the table's.
    XattrPrefix,
    /// Tables of directories, chunks, tails or xattrs in total aren't larger than an image of
    /// this length has room for: some overlap.
    Overlap,
}

impl Rule {
    const fn text(self) -> &'static str {
        match self {
            Self::WithinImage => "lies outside of the image",
            Self::WithinDevice => "data lies outside of its device",
            Self::DeviceAddress => "device has no address in a flat disk",
            Self::DisjointDevices => "devices overlap in the unified address space",
            Self::DeviceId => "device id without a device slot",
            Self::Metabox => "inode or xattr in a metabox, which isn't supported",
            Self::KnownFormat => "unknown inode or chunk format",
            Self::Uncompressed => "compressed data, which isn't supported",
            Self::FileType => "unknown file type",
            Self::Size => "size exceeds 2^63 - 1",
            Self::Nanoseconds => "nanoseconds exceed a second",
            Self::TailInBlock => "inline data crosses a block boundary",
            Self::PlainMetadata => {
                "data of a directory or symbolic link is chunk-based, a hole or in an extra device"
            }
            Self::LinkTarget => "target of symbolic link is empty, too long or has a NUL",
            Self::WrongType => "not the type of file that was asked for",
            Self::EntryTable => "damaged table of directory entries",
            Self::Name => "bad name in directory",
            Self::NameOrder => "names in directory are not in ascending order",
            Self::Dots => "directory lacks `.` or `..`",
            Self::DirectoryOnce => "directory is reached twice",
            Self::XattrBody => "damaged xattr body",
            Self::XattrName => "bad xattr name",
            Self::XattrPrefix => "unknown or unsupported long xattr prefix",
            Self::Overlap => "metadata overlaps: in total more than an image this long can hold",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { needed } => write!(f, "image is too short: {needed} bytes needed"),
            Self::Magic(found) => write!(f, "not an EROFS image: magic {found:#010x}"),
            Self::BlockBits(bits) => write!(f, "block size of 2^{bits} bytes isn't supported"),
            Self::DirectoryBlockBits(bits) => {
                write!(f, "directory blocks of 2^{bits} blocks aren't supported")
            }
            Self::Features(bits) => write!(f, "unknown incompatible features {bits:#x}"),
            Self::Checksum => f.write_str("superblock checksum is wrong"),
            Self::Device { slot, rule } => write!(f, "device slot {slot}: {rule}"),
            Self::DiskMark { devices } => {
                write!(f, "the disk's mark counts {devices} devices, over 65535")
            }
            Self::Inode { nid, offset, rule } => write!(f, "nid {nid} at byte {offset}: {rule}"),
            Self::Tree(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Tree(error) => error.source(),
            _ => None,
        }
    }
}

impl From<crate::tree::Error> for Error {
    fn from(error: crate::tree::Error) -> Self {
        Self::Tree(error)
    }
}
