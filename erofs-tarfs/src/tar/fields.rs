//! Numbers of a header, and what follows from its size alone.

use super::error::bounded;
use super::header::{Header, IN_BLOCK};
use super::{ErrorKind, number};

pub(super) fn field(name: &'static str, bytes: &[u8]) -> Result<i64, ErrorKind> {
    number::field(bytes).map_err(|_| ErrorKind::Number { field: name, found: bounded(bytes) })
}

/// Bytes from the end of a body to the next block.
pub(super) fn padding(size: u64) -> u64 {
    size.wrapping_neg() & IN_BLOCK
}

/// The size field of a header by itself.
pub(super) fn own_size(header: Header<'_>) -> Result<u64, ErrorKind> {
    let size = number::field(header.size())
        .map_err(|_| ErrorKind::Number { field: "size", found: bounded(header.size()) })?;
    u64::try_from(size).map_err(|_| ErrorKind::OutOfRange {
        field: "size",
        value: size.into(),
        max: i64::MAX as u64,
    })
}
