//! Bytes that a link, a directory or a device states, though entries of their kind have no body.

use alloc::vec::Vec;

use super::fields::padding;
use super::part::first;
use super::{Error, ErrorKind};

/// The last entry that states a size without having a body.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// Where its header is.
    offset: u64,
    /// As it states it, in bytes.
    size: u64,
    /// Where the block behind the body would begin, if there were one.
    end: u64,
    /// The start of its path, for the error.
    path: Vec<u8>,
}

impl Claim {
    /// Notes an entry whose header at `offset` ends at `position`, in the place of the one before.
    pub(super) fn note(&mut self, offset: u64, position: u64, size: u64, path: &[u8]) {
        (self.offset, self.size) = (offset, size);
        self.end = position.saturating_add(size).saturating_add(padding(size));
        self.path.clear();
        self.path.extend_from_slice(first(path, 256));
    }

    /// How many bytes there are from `position` to the end of what is stated; `None` behind it.
    pub(super) fn left(&self, position: u64) -> Option<u64> {
        self.end.checked_sub(position)
    }

    /// That there are entries behind it, where the archive has ended within.
    pub(super) fn error(&self) -> Error {
        Error::new(self.offset, &self.path, ErrorKind::LinkBody { size: self.size })
    }
}
