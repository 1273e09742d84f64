//! A frame of zstd. Its checksum, if it has one, is checked.

use alloc::borrow::ToOwned;
use alloc::format;
use core::fmt;

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::{Failed, Step, StreamFault};

/// The largest window, as a power of two: 512 MiB. The zstd program takes 128 MiB unless it is told more, but
/// containerd, Docker and Podman unpack layers with a library that takes as much as this: a layer that they run
/// is to be read here too. It takes memory as bytes come, not as the header asks.
const WINDOW_LOG: u32 = 29;

/// One frame after the other; some streams have one for each file in them.
pub(super) struct Zstd(DCtx<'static>);

impl Zstd {
    /// In front of the first. `None` if there is no memory for it.
    pub(super) fn new() -> Option<Self> {
        let mut context = DCtx::try_create()?;
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).ok()?;
        Some(Self(context))
    }

    /// Goes on with a frame, up to its end, the end of the bytes or of the room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Failed> {
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(output));
        let left = self.0.decompress_stream(&mut to, &mut from);
        let fault = |code| match get_error_name(code) {
            why if why.contains("too much memory") => StreamFault::Corrupt(format!(
                "its window has more than {} MiB, which is the most that is taken",
                (1u64 << WINDOW_LOG) >> 20
            )),
            why => StreamFault::Corrupt(why.to_owned()),
        };
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
