//! What is behind the last member or frame: streams that were on tapes are filled up with zeros.

use super::StreamFault;

/// Bytes behind a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Padding {
    bytes: u64,
    /// Those that are not zero.
    other: u64,
}

impl Padding {
    /// Takes the next of them.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.other += bytes.iter().filter(|byte| **byte != 0).count() as u64;
    }

    /// How many there were.
    pub(super) fn bytes(self) -> u64 {
        self.bytes
    }

    /// Refuses what is no padding, when all of it is there.
    pub(super) fn check(self) -> Result<(), StreamFault> {
        let Self { bytes, other } = self;
        if other == 0 { Ok(()) } else { Err(StreamFault::Behind { bytes, other }) }
    }
}
