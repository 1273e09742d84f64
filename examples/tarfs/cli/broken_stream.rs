//! Compressed streams that break off, or have other bytes than they should.

use std::fmt;

/// An error of a decompressor. It is passed on inside of an `io::Error`.
#[derive(Debug)]
pub(crate) struct BrokenStream {
    /// The format that its first bytes say: gzip or zstd.
    pub(crate) kind: String,
    /// How many compressed bytes had been used.
    pub(crate) offset: u64,
    pub(crate) why: String,
}

impl fmt::Display for BrokenStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, offset, why } = self;
        write!(f, "the {kind} stream fails at byte {offset} of the compressed bytes: {why}")
    }
}

impl std::error::Error for BrokenStream {}
