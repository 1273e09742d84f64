//! What can be wrong with a layer or a stack of layers.

use crate::limits::OverLimit;
use crate::tar;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why a tree cannot be made.
///
/// ```
/// use erofs_tarfs::tree::{Error, LayerBuilder, LayerOptions, Rule};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let mut builder = LayerBuilder::new(LayerOptions::default());
/// let error = builder.push(&tar_of(&[("../etc/passwd", "x")])).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "entry \"../etc/passwd\" at byte 0: its path has a \"..\" component"
/// );
/// assert!(matches!(error, Error::Entry(entry) if entry.rule == Rule::DotDot));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tar itself is wrong.
    #[error(transparent)]
    Tar(#[from] tar::Error),
    /// An entry of the tar breaks a rule.
    #[error("entry {} at byte {}: {}", Quoted(&.0.path), .0.offset, .0.rule)]
    Entry(Box<EntryError>),
    /// A pending hard link has no target in the layers below its own.
    #[error("hard link {}: {} is in no lower layer", Quoted(.path), Quoted(.target))]
    MissingTarget {
        /// Path of the link.
        path: Vec<u8>,
        /// Path that it names.
        target: Vec<u8>,
    },
    /// A hard link of one layer names a directory of a lower one.
    #[error("hard link {}: {} is a directory", Quoted(.path), Quoted(.target))]
    LinkToDirectory {
        /// Path of the link.
        path: Vec<u8>,
        /// Path that it names.
        target: Vec<u8>,
    },
    /// A whiteout name with nothing that it could stand for: `.wh.`, `.wh..` or `.wh...`.
    #[error("{}: a whiteout of no name", Quoted(.name))]
    BadWhiteout {
        /// The name as it stands.
        name: Vec<u8>,
    },
    /// A symbolic link of a lower layer leads to no directory, and a layer has something below it
    /// (with [`MergeOptions::follow_lower_links`](super::MergeOptions::follow_lower_links)).
    #[error(
        "layer {}: {} is a symbolic link of a lower layer that leads to no directory",
        .layer.saturating_add(1),
        Quoted(.path)
    )]
    LinkNotFollowed {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
        /// The path.
        path: Vec<u8>,
    },
    /// Symbolic links of lower layers lead on to one another without an end, or too often.
    #[error(
        "layer {}: symbolic links of lower layers lead on to one another too often",
        .layer.saturating_add(1)
    )]
    LinksTooDeep {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
    },
    /// A layer has two entries for one path, one of them through a link of a lower layer: which
    /// came last is not known any more.
    #[error(
        "layer {}: two entries are {}, one of them through a link of a lower layer",
        .layer.saturating_add(1),
        Quoted(.path)
    )]
    TwoPaths {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
        /// The path, without links.
        path: Vec<u8>,
    },
    /// A directory has a name twice: a fault of this library, seen before anything is written.
    #[error(
        "{}: twice in one directory, by a fault of this program; please report it",
        Quoted(.name)
    )]
    NameTwice {
        /// The name.
        name: Vec<u8>,
    },
    /// An offset leads to a number that no owner or group has: below 0, or over 4294967294.
    #[error("{}: {what} {id} and an offset of {offset} make no {what}: 0 to 4294967294", Quoted(.path))]
    Owner {
        /// The file.
        path: Vec<u8>,
        /// "owner" or "group".
        what: &'static str,
        /// What it is before.
        id: u32,
        /// What is added.
        offset: i64,
    },
    /// A label of SELinux is empty, or longer than an extended attribute can be.
    #[error("{}: a label of {bytes} bytes, not 1 to 65535", Quoted(.path))]
    Label {
        /// The file.
        path: Vec<u8>,
        /// Length of the label.
        bytes: usize,
    },
    /// There is more of something in layers that are merged than
    /// [`MergeOptions::limits`](super::MergeOptions::limits) allow.
    #[error("layer {}: {over}", .layer.saturating_add(1))]
    Limit {
        /// Number of the layer with which it is too much, from 0, the lowest.
        layer: usize,
        /// Which limit, and how much there is.
        over: OverLimit,
    },
    /// More than fits 32-bit ids; the word says what.
    #[error("more {0} than a tree can number")]
    TooMany(&'static str),
}

/// An entry that breaks a rule.
///
/// ```
/// use erofs_tarfs::tree::{Error, LayerBuilder, LayerOptions, Rule};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let mut builder = LayerBuilder::new(LayerOptions::default());
/// let tar = tar_of(&[("etc", "a file"), ("etc/motd", "hello\n")]);
/// let Err(Error::Entry(wrong)) = builder.push(&tar) else { panic!("it is no directory") };
/// assert_eq!((wrong.offset, &wrong.path[..]), (1024, &b"etc/motd"[..]));
/// assert_eq!(wrong.rule, Rule::BelowNonDirectory);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryError {
    /// Byte offset in the tar of the entry's header.
    pub offset: u64,
    /// Its path, raw.
    pub path: Vec<u8>,
    /// The rule.
    pub rule: Rule,
}

/// A rule that an entry breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// A path has a `..` component (an option resolves it inside the root).
    #[error("its path has a \"..\" component")]
    DotDot,
    /// A component of the path is over 255 bytes.
    #[error("a name of {0} bytes is over 255")]
    NameTooLong(usize),
    /// The root of the tar is something other than a directory.
    #[error("the root must be a directory")]
    RootNotDirectory,
    /// The entry lies below something that is not a directory.
    #[error("it lies below what is not a directory")]
    BelowNonDirectory,
    /// More than 255 symbolic links on the way, or a loop.
    #[error("over 255 symbolic links lead to it")]
    TooManySymlinks,
    /// The target of a hard link is no earlier entry of this layer.
    #[error("hard link to {}, which no earlier entry makes", Quoted(.0))]
    NoTarget(Vec<u8>),
    /// The target of a hard link is a directory.
    #[error("hard link to {}, a directory", Quoted(.0))]
    TargetIsDirectory(Vec<u8>),
    /// `.wh.`, `.wh..` or `.wh...`: a whiteout of nothing.
    #[error("a whiteout of no name")]
    BadWhiteout,
    /// The entry lies below a whiteout name.
    #[error("it lies below a whiteout")]
    BelowWhiteout,
    /// A symbolic link's target is over 4095 bytes (`PATH_MAX`), or empty.
    #[error("a symbolic link's target has {0} bytes, not 1 to 4095")]
    SymlinkLength(usize),
    /// EROFS has no index for the namespace of this extended attribute.
    #[error("extended attribute {}: EROFS has no such namespace", Quoted(.0))]
    XattrNamespace(Vec<u8>),
    /// An extended attribute has a namespace, and no name in it.
    #[error("extended attribute {}: no name behind the namespace", Quoted(.0))]
    XattrNoName(Vec<u8>),
    /// An extended attribute's name is over 255 bytes behind its prefix.
    #[error("extended attribute {}: its name is over 255 bytes", Quoted(.0))]
    XattrName(Vec<u8>),
    /// An extended attribute's value is over 65535 bytes.
    #[error("extended attribute {}: {} bytes are over 65535", Quoted(.0), .1)]
    XattrValue(Vec<u8>, usize),
    /// All extended attributes take this many bytes, over 262148.
    #[error("extended attributes take {0} bytes, over 262148")]
    XattrTotal(usize),
    /// A device number that EROFS cannot hold.
    #[error("device major over 4095 or minor over 1048575")]
    DeviceNumber,
    /// With it there is more of something than the limits of the layer allow.
    #[error(transparent)]
    Limit(#[from] OverLimit),
}

/// Bytes as text, the odd ones escaped.
pub(crate) struct Quoted<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, more) = match self.0.get(..256) {
            Some(head) if self.0.len() > 256 => (head, "…"),
            _ => (self.0, ""),
        };
        write!(f, "{:?}{more}", String::from_utf8_lossy(shown))
    }
}
