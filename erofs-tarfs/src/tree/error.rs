//! What can be wrong with a layer or a stack of layers.

use crate::tar;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why a tree cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The tar itself is wrong.
    Tar(tar::Error),
    /// An entry of the tar breaks a rule.
    Entry(Box<EntryError>),
    /// A pending hard link has no target in the layers below its own.
    MissingTarget {
        /// Path of the link.
        path: Vec<u8>,
        /// Path that it names.
        target: Vec<u8>,
    },
    /// A hard link of one layer names a directory of a lower one.
    LinkToDirectory {
        /// Path of the link.
        path: Vec<u8>,
        /// Path that it names.
        target: Vec<u8>,
    },
    /// A whiteout name with nothing that it could stand for: `.wh.`, `.wh..` or `.wh...`.
    BadWhiteout {
        /// The name as it stands.
        name: Vec<u8>,
    },
    /// A symbolic link of a lower layer leads to no directory, and a layer has something below it
    /// (with [`MergeOptions::follow_lower_links`](super::MergeOptions::follow_lower_links)).
    LinkNotFollowed {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
        /// The path.
        path: Vec<u8>,
    },
    /// Symbolic links of lower layers lead on to one another without an end, or too often.
    LinksTooDeep {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
    },
    /// A layer has two entries for one path, one of them through a link of a lower layer: which
    /// came last is not known any more.
    TwoPaths {
        /// Number of the layer, from 0, the lowest.
        layer: usize,
        /// The path, without links.
        path: Vec<u8>,
    },
    /// A directory has a name twice: a fault of this library, seen before anything is written.
    NameTwice {
        /// The name.
        name: Vec<u8>,
    },
    /// More than fits 32-bit ids; the word says what.
    TooMany(&'static str),
}

/// An entry that breaks a rule.
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A path has a `..` component (an option resolves it inside the root).
    DotDot,
    /// A component of the path is over 255 bytes.
    NameTooLong(usize),
    /// The root of the tar is something other than a directory.
    RootNotDirectory,
    /// The entry lies below something that is not a directory.
    BelowNonDirectory,
    /// More than 255 symbolic links on the way, or a loop.
    TooManySymlinks,
    /// The target of a hard link is no earlier entry of this layer.
    NoTarget(Vec<u8>),
    /// The target of a hard link is a directory.
    TargetIsDirectory(Vec<u8>),
    /// `.wh.`, `.wh..` or `.wh...`: a whiteout of nothing.
    BadWhiteout,
    /// The entry lies below a whiteout name.
    BelowWhiteout,
    /// A symbolic link's target is over 4095 bytes (`PATH_MAX`), or empty.
    SymlinkLength(usize),
    /// EROFS has no index for the namespace of this extended attribute.
    XattrNamespace(Vec<u8>),
    /// An extended attribute has a namespace, and no name in it.
    XattrNoName(Vec<u8>),
    /// An extended attribute's name is over 255 bytes behind its prefix.
    XattrName(Vec<u8>),
    /// An extended attribute's value is over 65535 bytes.
    XattrValue(Vec<u8>, usize),
    /// All extended attributes take this many bytes, over 262148.
    XattrTotal(usize),
    /// A device number that EROFS cannot hold.
    DeviceNumber,
    /// A sparse file's odd pieces are over the limit of bytes that a tree carries itself.
    Carried(u64),
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

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DotDot => f.write_str("its path has a \"..\" component"),
            Self::NameTooLong(len) => write!(f, "a name of {len} bytes is over 255"),
            Self::RootNotDirectory => f.write_str("the root must be a directory"),
            Self::BelowNonDirectory => f.write_str("it lies below what is not a directory"),
            Self::TooManySymlinks => f.write_str("over 255 symbolic links lead to it"),
            Self::NoTarget(target) => {
                write!(f, "hard link to {}, which no earlier entry makes", Quoted(target))
            }
            Self::TargetIsDirectory(target) => {
                write!(f, "hard link to {}, a directory", Quoted(target))
            }
            Self::BadWhiteout => f.write_str("a whiteout of no name"),
            Self::BelowWhiteout => f.write_str("it lies below a whiteout"),
            Self::SymlinkLength(len) => {
                write!(f, "a symbolic link's target has {len} bytes, not 1 to 4095")
            }
            Self::XattrNamespace(key) => {
                write!(f, "extended attribute {}: EROFS has no such namespace", Quoted(key))
            }
            Self::XattrNoName(key) => {
                write!(f, "extended attribute {}: no name behind the namespace", Quoted(key))
            }
            Self::XattrName(key) => {
                write!(f, "extended attribute {}: its name is over 255 bytes", Quoted(key))
            }
            Self::XattrValue(key, len) => {
                write!(f, "extended attribute {}: {len} bytes are over 65535", Quoted(key))
            }
            Self::XattrTotal(len) => {
                write!(f, "extended attributes take {len} bytes, over 262148")
            }
            Self::DeviceNumber => f.write_str("device major over 4095 or minor over 1048575"),
            Self::Carried(limit) => {
                write!(f, "sparse pieces off the 512-byte grid take over {limit} bytes")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tar(error) => error.fmt(f),
            Self::Entry(error) => {
                write!(f, "entry {} at byte {}: {}", Quoted(&error.path), error.offset, error.rule)
            }
            Self::MissingTarget { path, target } => {
                write!(f, "hard link {}: {} is in no lower layer", Quoted(path), Quoted(target))
            }
            Self::LinkToDirectory { path, target } => {
                write!(f, "hard link {}: {} is a directory", Quoted(path), Quoted(target))
            }
            Self::BadWhiteout { name } => write!(f, "{}: a whiteout of no name", Quoted(name)),
            Self::LinkNotFollowed { layer, path } => write!(
                f,
                "layer {}: {} is a symbolic link of a lower layer that leads to no directory",
                layer + 1,
                Quoted(path)
            ),
            Self::LinksTooDeep { layer } => write!(
                f,
                "layer {}: symbolic links of lower layers lead on to one another too often",
                layer + 1
            ),
            Self::TwoPaths { layer, path } => write!(
                f,
                "layer {}: two entries are {}, one of them through a link of a lower layer",
                layer + 1,
                Quoted(path)
            ),
            Self::NameTwice { name } => write!(
                f,
                "{}: twice in one directory, by a fault of this program; please report it",
                Quoted(name)
            ),
            Self::TooMany(what) => write!(f, "more {what} than a tree can number"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Tar(error) => error.source(),
            _ => None,
        }
    }
}

impl From<tar::Error> for Error {
    fn from(error: tar::Error) -> Self {
        Self::Tar(error)
    }
}
