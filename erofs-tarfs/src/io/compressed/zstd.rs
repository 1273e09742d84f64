//! A frame of zstd. Its checksum, if it has one, is checked.

use alloc::borrow::ToOwned;
use core::fmt;

use zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::{Failed, Step, StreamFault};

/// One frame after the other; some streams have one for each file in them.
pub(super) struct Zstd(DCtx<'static>);

impl Zstd {
    /// In front of the first. `None` if there is no memory for it.
    pub(super) fn new() -> Option<Self> {
        DCtx::try_create().map(Self)
    }

    /// Goes on with a frame, up to its end, the end of the bytes or of the room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Failed> {
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(output));
        let left = self.0.decompress_stream(&mut to, &mut from);
        let fault = |code| StreamFault::Corrupt(get_error_name(code).to_owned());
        let left = left.map_err(|code| (0, fault(code)))?;
        if left == 0 {
            // Ready for the next frame; parameters stay.
            let _ = self.0.reset(ResetDirective::SessionOnly);
        }
        Ok(Step { used: from.pos(), made: to.pos(), ended: left == 0, ..Step::default() })
    }
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zstd").finish()
    }
}
