//! Deflated bytes, inflated by zlib-rs.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::header::bad;
use super::{Failed, Inflated, TRAILER};

/// The largest window that deflate has, 32 KiB, as a power of two.
const WINDOW: u8 = 15;

/// One sequence of deflated blocks after the other.
pub(super) struct Deflate(Inflate);

impl Deflate {
    /// In front of the first block.
    pub(super) fn new() -> Self {
        Self(Inflate::new(false, WINDOW))
    }

    /// In front of the first block again.
    pub(super) fn reset(&mut self) {
        self.0.reset(false);
    }

    /// Goes on, up to the end of the blocks, that of the bytes or of the room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Inflated, Failed> {
        let (used, made) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, output, InflateFlush::NoFlush);
        let used = (self.0.total_in() - used) as usize;
        let made = (self.0.total_out() - made) as usize;
        match status {
            Ok(status) => {
                let ended = matches!(status, Status::StreamEnd).then_some(([0; TRAILER], 0));
                Ok(Inflated { used, made, ended })
            }
            Err(error) => {
                let why = self.0.error_message().unwrap_or(error.as_str());
                // It writes that over its own words where it has gone fast.
                let why = if why == "repeated call with bad state" {
                    "its bytes are damaged"
                } else {
                    why
                };
                Err((used as isize, bad(why)))
            }
        }
    }
}
