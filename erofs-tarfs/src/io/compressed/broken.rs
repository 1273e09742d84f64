//! What is wrong with a compressed stream, and where.

use alloc::string::String;
use std::io::{Error, ErrorKind};

use super::Compression;

/// A compressed stream that breaks off, or has other bytes than it should.
///
/// A reader passes it on inside of an [`io::Error`](std::io::Error), where `get_ref` and
/// `downcast_ref` find it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {compression} stream fails at byte {offset} of the compressed bytes: {fault}")]
#[non_exhaustive]
pub struct BrokenStream {
    /// How it is compressed.
    pub compression: Compression,
    /// How many compressed bytes were used when it was found out.
    pub offset: u64,
    /// What it is.
    pub fault: StreamFault,
}

impl BrokenStream {
    /// The same of a stream in which so many bytes are before these.
    pub(super) fn behind(self, bytes: u64) -> Self {
        Self { offset: self.offset.saturating_add(bytes), ..self }
    }

    /// As an error of a reader.
    pub(super) fn of_reader(self) -> Error {
        Error::new(ErrorKind::InvalidData, self)
    }
}

/// What may be wrong with a compressed stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamFault {
    /// Its last member or frame has no end.
    #[error("it ends in the middle")]
    Cut,
    /// Bytes that mean nothing, by the words of who decodes them.
    #[error("{0}")]
    Corrupt(String),
    /// A member of gzip whose bytes are not those that were compressed.
    #[error("its bytes have the CRC-32 {found:08x}, not {expected:08x}")]
    Checksum {
        /// Of the bytes that came of it.
        found: u32,
        /// As the stream has it.
        expected: u32,
    },
    /// A member of gzip of another length than it says, modulo 2³².
    #[error("its bytes are {found} modulo 4294967296, not {expected}")]
    Length {
        /// How many came of it.
        found: u32,
        /// As the stream has it.
        expected: u32,
    },
    /// Bytes behind the last member or frame that are not the zeros of a tape's record.
    #[error("it ends there, and {bytes} bytes follow, {other} of them other than zero")]
    Behind {
        /// How many they are.
        bytes: u64,
        /// How many of them are not zero.
        other: u64,
    },
    /// It becomes longer than the caller allows for what it is made of.
    #[error("{made} bytes made of {used} are over the limit max_ratio of {max_ratio}")]
    Ratio {
        /// Uncompressed bytes.
        made: u64,
        /// Compressed bytes.
        used: u64,
        /// The limit.
        max_ratio: u64,
    },
    /// This library was built without the feature that reads it.
    #[error("this build reads no {0}")]
    Unsupported(Compression),
}
