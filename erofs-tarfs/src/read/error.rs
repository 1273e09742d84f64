//! What is wrong with an image, where, and by which rule.

use crate::limits::OverLimit;

/// Why an image is refused.
///
/// ```
/// use erofs_tarfs::read::{Error, Image};
///
/// assert_eq!(Image::new(&[0; 4096]).unwrap_err(), Error::Magic(0));
/// let error = Image::new(b"not an image").unwrap_err();
/// assert!(matches!(error, Error::Short { needed } if needed > 12), "{error}"); // bytes
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The image ends before the superblock, its checksummed block or the device table does.
    #[error("image is too short: {needed} bytes needed")]
    Short {
        /// Bytes that the image would need.
        needed: u64,
    },
    /// The word at byte 1024 is not EROFS's magic.
    #[error("not an EROFS image: magic {0:#010x}")]
    Magic(u32),
    /// Not a binary logarithm of a block size: 9 to 16.
    #[error("block size of 2^{0} bytes isn't supported")]
    BlockBits(u8),
    /// Directory blocks of another size than the filesystem's, which no kernel reads.
    #[error("directory blocks of 2^{0} blocks aren't supported")]
    DirectoryBlockBits(u8),
    /// Incompatible features that nobody knows.
    #[error("unknown incompatible features {0:#x}")]
    Features(u32),
    /// The superblock's checksum is wrong.
    #[error("superblock checksum is wrong")]
    Checksum,
    /// A device slot breaks a rule.
    #[error("device slot {slot}: {rule}")]
    Device {
        /// The slot, counted from 0.
        slot: u16,
        /// The rule.
        rule: Rule,
    },
    /// The mark of a disk counts more devices than there can be.
    #[error("the disk's mark counts {devices} devices, over 65535")]
    DiskMark {
        /// How many.
        devices: u32,
    },
    /// An inode breaks a rule, or something it refers to does.
    #[error("nid {nid} at byte {offset}: {rule}")]
    Inode {
        /// The inode.
        nid: u64,
        /// Byte offset in the image of what is wrong.
        offset: u64,
        /// The rule.
        rule: Rule,
    },
    /// The image could not be read: of one over a [`ReadImage`](super::ReadImage).
    #[error("at byte {offset}: {fault}")]
    Read {
        /// Byte offset in the image.
        offset: u64,
        /// What the reader says.
        #[source]
        fault: super::ReadFault,
    },
    /// The tree can't hold it.
    #[error(transparent)]
    Tree(#[from] crate::tree::Error),
}

/// The rules that an image is checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// Whatever an inode or slot refers to lies within the image.
    #[error("lies outside of the image")]
    WithinImage,
    /// File data lies within its device.
    #[error("data lies outside of its device")]
    WithinDevice,
    /// Data that is reached by its address in a flat disk needs the address in the device slot.
    #[error("device has no address in a flat disk")]
    DeviceAddress,
    /// Ranges of devices in the unified address space are disjoint.
    #[error("devices overlap in the unified address space")]
    DisjointDevices,
    /// A device id is that of a slot.
    #[error("device id without a device slot")]
    DeviceId,
    /// No inode in a metabox: this reader has none.
    #[error("inode or xattr in a metabox, which isn't supported")]
    Metabox,
    /// `i_format` and chunk format have no unknown bits.
    #[error("unknown inode or chunk format")]
    KnownFormat,
    /// Compressed data isn't read.
    #[error("compressed data, which isn't supported")]
    Uncompressed,
    /// The file type is one of seven.
    #[error("unknown file type")]
    FileType,
    /// Sizes are at most 2^63 - 1.
    #[error("size exceeds 2^63 - 1")]
    Size,
    /// Nanoseconds are less than a second.
    #[error("nanoseconds exceed a second")]
    Nanoseconds,
    /// The inline tail of a file lies within one block.
    #[error("inline data crosses a block boundary")]
    TailInBlock,
    /// Directories and symbolic links are flat, without holes, in the primary device.
    #[error("data of a directory or symbolic link is chunk-based, a hole or in an extra device")]
    PlainMetadata,
    /// A symbolic link has a target of 1 to 4095 bytes without NUL.
    #[error("target of symbolic link is empty, too long or has a NUL")]
    LinkTarget,
    /// The operation is one for another type of file.
    #[error("not the type of file that was asked for")]
    WrongType,
    /// A directory block starts with a table of entries, then their names in order.
    #[error("damaged table of directory entries")]
    EntryTable,
    /// A name has 1 to 255 bytes, none of them `/` or NUL.
    #[error("bad name in directory")]
    Name,
    /// Names of a directory are in strictly ascending order of bytes.
    #[error("names in directory are not in ascending order")]
    NameOrder,
    /// A directory has entries `.` and `..`.
    #[error("directory lacks `.` or `..`")]
    Dots,
    /// A directory has one name only.
    #[error("directory is reached twice")]
    DirectoryOnce,
    /// Entries of an xattr body fit in it.
    #[error("damaged xattr body")]
    XattrBody,
    /// An xattr's name makes sense behind its prefix.
    #[error("bad xattr name")]
    XattrName,
    /// A long xattr prefix is one of the table's.
    #[error("unknown or unsupported long xattr prefix")]
    XattrPrefix,
    /// Of an image that is read, and not in memory, no more than 256 MiB of each kind are taken:
    /// directories, targets of links, chunk tables, bodies that a tree carries. A long file of it can be
    /// asked about part by part.
    #[error("over 256 MiB of its kind, more than is read of an image that is not in memory")]
    TooMuchRead,
    /// Tables of directories, chunks, tails or xattrs in total aren't larger than an image of
    /// this length has room for: some overlap.
    #[error("metadata overlaps: in total more than an image this long can hold")]
    Overlap,
    /// With it there is more of something than [`TreeOptions::limits`](super::TreeOptions::limits) allow.
    #[error(transparent)]
    Limit(#[from] OverLimit),
}
