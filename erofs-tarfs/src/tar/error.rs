//! What is wrong with a tar, where, and by which rule.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::EndMarker;
use super::part::first;
use crate::limits::OverLimit;

/// Most bytes of a path, key or value that an error keeps.
const KEEP: usize = 256;

/// Why a stream is not a tar that we read: the fault, the header it is in, and the entry's path
/// where it is known.
///
/// A parser that returned an error returns the same again on every further call.
///
/// ```
/// use erofs_tarfs::tar::{ErrorKind, ParseOptions, Parser};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let mut tar = tar_of(&[("etc/motd", "hello\n"), ("etc/issue", "")]);
/// tar[1024 + 100] ^= 1; // a bit of the second header
/// let mut parser = Parser::new(ParseOptions::default());
/// let first = parser.push(&tar)?.consumed;
/// let error = parser.push(&tar[first..]).unwrap_err();
/// assert_eq!(error.offset(), 1024); // bytes of the tar
/// assert!(matches!(error.kind(), ErrorKind::Checksum { .. }));
/// # Ok::<(), erofs_tarfs::tar::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    offset: u64,
    path: Option<Vec<u8>>,
    kind: ErrorKind,
}

impl Error {
    #[cold]
    #[inline(never)]
    pub(super) fn new(offset: u64, path: &[u8], kind: ErrorKind) -> Self {
        let path = (!path.is_empty()).then(|| bounded(path));
        Self(Box::new(Inner { offset, path, kind }))
    }

    /// Byte offset in the stream of the header block at fault: the entry's own, or that of the
    /// extension header; where there is no header, where the fault is.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// The path of the entry at fault, if it is known yet. At most its first 256 bytes.
    pub fn path(&self) -> Option<&[u8]> {
        self.0.path.as_deref()
    }

    /// The fault.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }
}

impl core::error::Error for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("offset", &self.0.offset)
            .field("path", &self.path().map(Quoted))
            .field("kind", &self.0.kind)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => write!(f, "entry {} at byte {}: ", Quoted(path), self.0.offset)?,
            None => write!(f, "tar at byte {}: ", self.0.offset)?,
        }
        self.0.kind.fmt(f)
    }
}

/// The faults of a tar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The header's checksum is neither the signed nor the unsigned sum: not a tar, or damaged.
    #[error(
        "not a tar header: the checksum field is {}, the bytes sum to {computed:06o}",
        Quoted(.stored)
    )]
    Checksum {
        /// The sum over unsigned bytes.
        computed: u32,
        /// The checksum field.
        stored: [u8; 8],
    },
    /// The stream is compressed; decompress it first.
    #[error("the stream is compressed with {}: decompress it first", .0.name())]
    Compressed(Compression),
    /// A device's number is past what Linux has.
    #[error("device {field} {value} {}", outside((*.value).into(), (*.max).into()))]
    Device {
        /// `major` or `minor`.
        field: &'static str,
        /// As the header has it.
        value: i64,
        /// The largest.
        max: u32,
    },
    /// A hard or symbolic link without a target.
    #[error("the link has no target")]
    EmptyLink,
    /// An entry without a name.
    #[error("the entry has no name")]
    EmptyPath,
    /// There is more of something than [`ParseOptions::limits`](super::ParseOptions::limits) allow.
    #[error(transparent)]
    Limit(#[from] OverLimit),
    /// The archive ends within the bytes that a hard link states, and goes on with another entry right behind
    /// them: POSIX allows the file's bytes there, in pax archives. libarchive reads on; GNU tar and Go end.
    #[error(
        "the archive ends within the {size} bytes that are stated here, and has entries behind them: hard links must have no bytes of their own"
    )]
    LinkBody {
        /// As the header has it, in bytes.
        size: u64,
    },
    /// A zero block with something other than another after it. GNU tar ends the archive there
    /// with a warning, Go refuses it, and others read on.
    #[error("a lone zero block: some readers end here, some read on")]
    LoneZeroBlock,
    /// The stream begins with two zero blocks, and then has other bytes: an image of a disk or of
    /// some file system, and no archive.
    #[error("not a tar: 1024 zero bytes, no entry, and then bytes that are not zero")]
    NoEntries,
    /// The archive does not end in two zero blocks (`strict` only).
    #[error("the archive {} (strict)", end(*.0))]
    NoEndMarker(EndMarker),
    /// A numeric field of a header is no number.
    #[error("{field} is {}, neither octal nor base-256 of 64 bits", Quoted(.found))]
    Number {
        /// Its name in POSIX.
        field: &'static str,
        /// Its bytes.
        found: Vec<u8>,
    },
    /// A number is out of range.
    #[error("{field} {value} {}", outside(*.value, *.max))]
    OutOfRange {
        /// The field's name in POSIX.
        field: &'static str,
        /// As the tar has it.
        value: i128,
        /// The largest; the smallest is 0.
        max: u64,
    },
    /// The stream's length is not a multiple of 512 (`refuse_partial_last_block` only).
    #[error("the last block has {bytes} bytes instead of 512")]
    PartialLastBlock {
        /// Bytes in the last block.
        bytes: u32,
    },
    /// The records of a pax header do not parse.
    #[error("pax record at byte {at} of its body: {rule}")]
    PaxRecord {
        /// Byte offset of the record in the header's body.
        at: u64,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The value of a pax record is not what its key takes.
    #[error("pax record {}={}: {rule}", Quoted(.key), Quoted(.value))]
    PaxValue {
        /// The key, its first 256 bytes.
        key: Vec<u8>,
        /// The value, its first 256 bytes.
        value: Vec<u8>,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// [`skip`](super::Parser::skip) was asked for more than may be skipped.
    #[error("asked to skip {asked} bytes where {available} may be skipped")]
    Skip {
        /// Bytes asked for.
        asked: u64,
        /// Bytes that may be skipped.
        available: u64,
    },
    /// The map of a sparse file is unsound.
    #[error("sparse map, run {run}: {rule}")]
    Sparse {
        /// Number of the run at fault, from 0; the number of runs where the map as a whole is.
        run: u64,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A regular file (type `0` or `7`) whose name ends in a slash: GNU tar makes a directory,
    /// Go's `archive/tar` a file.
    #[error("a regular file's name ends in a slash: GNU tar makes a directory of it, Go a file")]
    TrailingSlash,
    /// The stream ends in the middle.
    #[error("the stream ends in {part}, {missing} bytes short")]
    Truncated {
        /// Of what.
        part: Part,
        /// Bytes missing, where that is known: at least.
        missing: u64,
    },
    /// A type that we do not know.
    #[error("unknown type {}", Quoted(&[*.0]))]
    UnknownType(u8),
}

/// A compression that is told by its first bytes.
///
/// ```
/// use erofs_tarfs::tar::Compression;
///
/// let gzip = Compression::detect(b"\x1f\x8b\x08");
/// assert_eq!(gzip.map(Compression::name), Some("gzip"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// bzip2.
    Bzip2,
    /// gzip.
    Gzip,
    /// XZ.
    Xz,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// The compression whose magic `bytes` start with.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let magics: [(&[u8], Self); 4] = [
            (b"BZh", Self::Bzip2),
            (b"\x1f\x8b", Self::Gzip),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
        ];
        magics.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|&(_, found)| found)
    }

    /// Its usual name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bzip2 => "bzip2",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// A part of a tar that can be cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// A header block.
    Header,
    /// The body of an extension header (types `x`, `g`, `L`, `K`).
    Extension,
    /// The entry that an extension header announces.
    Entry,
    /// The map of a sparse file.
    SparseMap,
    /// The body of an entry.
    Body,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "its header",
            Self::Extension => "an extension header",
            Self::Entry => "the entry after an extension header",
            Self::SparseMap => "its sparse map",
            Self::Body => "its body",
        })
    }
}

/// What is wrong with a number that should be from 0 to `max`.
fn outside(value: i128, max: u64) -> String {
    if value < 0 { "is negative".into() } else { format!("is over {max}") }
}

/// How an archive ends that should end otherwise.
fn end(marker: EndMarker) -> &'static str {
    match marker {
        EndMarker::OneBlock => "ends in one zero block instead of two",
        _ => "does not end in two zero blocks",
    }
}

/// The first bytes of what an error is to name.
pub(super) fn bounded(bytes: &[u8]) -> Vec<u8> {
    first(bytes, KEEP).to_vec()
}

/// Bytes as a quoted string: UTF-8 as it is, all else escaped.
struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            write!(f, "{}", chunk.valid().escape_debug())?;
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
