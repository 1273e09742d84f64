//! Streams of gzip, zstd, xz and bzip2, uncompressed piece by piece: as layers come from registries.
//!
//! | file | duty |
//! |---|---|
//! | `compression` | which format a stream has, by its first bytes |
//! | `decompressor` | compressed bytes in, uncompressed ones out: members and frames one behind the other |
//! | `gzip`, `header`, `zstd` | one member, its header, one frame |
//! | `xz`, `bzip2` | one stream of these |
//! | `padding` | what is behind the last of them |
//! | `ratio` | streams that become far longer than they are |
//! | `broken` | what is wrong with a stream, and at which byte |
//! | `reader` | a reader over a reader |

mod broken;
#[cfg(feature = "bzip2")]
mod bzip2;
mod compression;
mod decompressor;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "gzip")]
mod header;
mod padding;
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

/// How many bytes were taken before a fault, and what it is.
type Failed = (usize, StreamFault);
