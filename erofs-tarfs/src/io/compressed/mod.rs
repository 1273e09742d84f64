//! Streams of gzip, zstd, xz and bzip2, uncompressed piece by piece: as layers come from registries.
//!
//! | file | duty |
//! |---|---|
//! | `compression` | which format a stream has, by its first bytes |
//! | `decompressor` | compressed bytes in, uncompressed ones out: members and frames one behind the other |
//! | `gzip`, `header`, `zstd` | one member, its header, one frame |
//! | `deflate`, `deflate_isal` | what a member has, inflated by zlib-rs; the same by ISA-L, with the feature `isal` |
//! | `xz`, `bzip2` | one stream of these |
//! | `padding` | what is behind the last of them |
//! | `ratio` | streams that become far longer than they are |
//! | `broken` | what is wrong with a stream, and at which byte |
//! | `reader` | a reader over a reader |
//! | `parts` | the same by several threads, where there is more than one member or frame |

mod broken;
#[cfg(feature = "bzip2")]
mod bzip2;
mod compression;
mod decompressor;
#[cfg(all(feature = "gzip", not(feature = "isal")))]
mod deflate;
#[cfg(feature = "isal")]
#[path = "deflate_isal.rs"]
mod deflate;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "gzip")]
mod header;
mod padding;
mod parts;
mod ratio;
mod reader;
#[cfg(feature = "xz")]
mod xz;
#[cfg(feature = "zstd")]
mod zstd;

pub use broken::{BrokenStream, StreamFault};
pub use compression::Compression;
pub use decompressor::{Decompressed, Decompressor};
pub use ratio::Ratio;
pub use reader::Uncompressed;

/// What one step of a decoder did.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// Compressed bytes taken.
    used: usize,
    /// Uncompressed bytes made.
    made: usize,
    /// Whether the member or frame is at its end.
    ended: bool,
    /// Whether there is more to do, though nothing was taken and nothing made.
    again: bool,
}

/// Bytes behind the deflated ones of a member.
#[cfg(feature = "gzip")]
const TRAILER: usize = 8;

/// What one step of inflating did.
#[cfg(feature = "gzip")]
struct Inflated {
    /// Compressed bytes taken.
    used: usize,
    /// Uncompressed bytes made.
    made: usize,
    /// At the end: bytes behind the blocks that were taken with them, and how many they are.
    ended: Option<([u8; TRAILER], usize)>,
}

/// Where a fault is, counted from the first byte that this step might have taken, and what it is. It may be found later
/// than its bytes were taken: then that is less than nothing.
type Failed = (isize, StreamFault);
