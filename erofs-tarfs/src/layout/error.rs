//! What does not fit, with the path, the value and the limit.

use crate::limits::OverLimit;
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Why a tree has no layout with the options given. Sizes and offsets are in bytes.
///
/// ```
/// use erofs_tarfs::layout::{Error, LayoutOptions, plan};
/// use erofs_tarfs::units::BlockSize;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let options = LayoutOptions::new().block_size(BlockSize::B4096);
/// let error = plan(&tree, &options).unwrap_err();
/// let path = b"/etc/motd".to_vec();
/// assert_eq!(error, Error::NotAligned { path, offset: 512, block: 4096 }); // bytes
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A hard link whose target is in a lower layer: merge first.
    #[error("{}: hard link to {}, which no layer has", text(.path), text(.target))]
    PendingHardLink {
        /// Path of the link.
        path: Vec<u8>,
        /// Path of its target.
        target: Vec<u8>,
    },
    /// A packed tree ([`pack`](crate::tree::pack())) makes disks only: a bootstrap's files would lie
    /// in no tar.
    #[error("a packed tree makes disks, no bootstrap")]
    PackedBootstrap,
    /// An extended attribute in a namespace that EROFS has no index for.
    #[error("{}: xattr {} is in no namespace that EROFS knows", text(.path), text(.name))]
    UnknownXattrNamespace {
        /// Path of the inode.
        path: Vec<u8>,
        /// Full name of the attribute.
        name: Vec<u8>,
    },
    /// An extended attribute with too long a name or value, or with which all are too large.
    #[error("{}: xattr {} needs {bytes} bytes of {limit}", text(.path), text(.name))]
    XattrTooLarge {
        /// Path of the inode.
        path: Vec<u8>,
        /// Full name of the attribute.
        name: Vec<u8>,
        /// Size in bytes of the name behind its prefix, of the value or of all attributes.
        bytes: u64,
        /// The most that fits.
        limit: u64,
    },
    /// A name that is longer than 255 bytes with `.wh.` before it.
    #[error("{}: name of {bytes} bytes, at most {limit} fit", text(.path))]
    NameTooLong {
        /// Path that would be written.
        path: Vec<u8>,
        /// Length of the name in bytes.
        bytes: u64,
        /// The most that fits.
        limit: u64,
    },
    /// A name that `.wh.` turns into that of a sibling.
    #[error("{}: would be there twice", text(.path))]
    NameTwice {
        /// The path that would be there twice.
        path: Vec<u8>,
    },
    /// A symbolic link that no kernel reads whole.
    #[error("{}: link target of {bytes} bytes, at most {limit} fit", text(.path))]
    TargetTooLong {
        /// Path of the link.
        path: Vec<u8>,
        /// Length of the target in bytes.
        bytes: u64,
        /// The most that fits.
        limit: u64,
    },
    /// A run of a file that does not start or end on a block.
    #[error("{}: offset {offset} is not a multiple of the block {block}", text(.path))]
    NotAligned {
        /// Path of the file.
        path: Vec<u8>,
        /// The byte offset in question, in the device or in the file.
        offset: u64,
        /// Block size in bytes.
        block: u32,
    },
    /// A run of a file that lies outside of its device, of the file or of the tree's own bytes.
    #[error("{}: ends at byte {end}, behind {limit}", text(.path))]
    Outside {
        /// Path of the file.
        path: Vec<u8>,
        /// Byte offset of the end of the run.
        end: u64,
        /// The most that it may be.
        limit: u64,
    },
    /// A file that is larger than a kernel can address.
    #[error("{}: {bytes} bytes long, at most {limit} fit", text(.path))]
    FileTooLarge {
        /// Path of the file.
        path: Vec<u8>,
        /// Its length in bytes.
        bytes: u64,
        /// The most that fits.
        limit: u64,
    },
    /// There is more of something than [`LayoutOptions::limits`](super::LayoutOptions::limits) allow.
    #[error("{}{over}", .path.as_ref().map(|path| format!("{}: ", text(path))).unwrap_or_default())]
    Limit {
        /// Path of the file with which it is too much, if it is about files one by one.
        path: Option<Vec<u8>>,
        /// Which limit, and how much there is.
        over: OverLimit,
    },
    /// A device tag longer than 64 bytes, or one that ends in NUL.
    #[error("device tag \"{}\" does not fit in {limit} bytes", .tag.escape_ascii())]
    Tag {
        /// The tag.
        tag: Vec<u8>,
        /// The most bytes that fit.
        limit: u64,
    },
    /// A device whose bytes do not start on a block of its file.
    #[error(
        "device \"{}\": base offset {offset} is not a multiple of the block {block}",
        .tag.escape_ascii()
    )]
    BaseOffset {
        /// Tag of the device.
        tag: Vec<u8>,
        /// Its base offset in bytes.
        offset: u64,
        /// Block size in bytes.
        block: u32,
    },
    /// A volume name of more than 15 bytes, or with a NUL in it.
    #[error("volume name \"{}\" does not fit in {limit} bytes without NUL", .name.escape_ascii())]
    VolumeName {
        /// The name.
        name: Vec<u8>,
        /// The most bytes that fit.
        limit: u64,
    },
    /// An alignment that neither is a multiple of the block size nor divides it.
    #[error("alignment {align} does not go with blocks of {block}")]
    Alignment {
        /// The alignment in bytes.
        align: u64,
        /// Block size in bytes.
        block: u32,
    },
    /// More of something than the format has room for.
    #[error("{what}: {value}, at most {limit} fit")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        value: u64,
        /// The most that fits.
        limit: u64,
    },
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
