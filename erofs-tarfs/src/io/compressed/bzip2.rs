//! A stream of bzip2. The CRC of each block, and that of all, are always checked.

use alloc::borrow::ToOwned;
use core::fmt;

use bzip2::{Decompress, Error, Status};

use super::{Failed, Step, StreamFault};

/// One stream after the other: parallel programs write one for each block. A stream takes 4 MB.
pub(super) struct Bzip2(Option<Decompress>);

impl Bzip2 {
    /// In front of the first.
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// Goes on with a stream, up to its end, the end of the bytes or of the room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Failed> {
        let stream = self.0.get_or_insert_with(|| Decompress::new(false));
        let (used, made) = (stream.total_in(), stream.total_out());
        let status = stream.decompress(input, output);
        let (used, made) = (stream.total_in() - used, stream.total_out() - made);
        let (used, made) = (used as usize, made as usize);
        match status {
            // It is the word for a lack of memory alone.
            Ok(Status::MemNeeded) => {
                Err((used as isize, fault("there is no memory for its blocks")))
            }
            Ok(status) => {
                let ended = status == Status::StreamEnd;
                if ended {
                    self.0 = None;
                }
                Ok(Step { used, made, ended, ..Step::default() })
            }
            Err(Error::DataMagic) => Err((used as isize, fault("it does not begin as bzip2 does"))),
            Err(_) => Err((used as isize, fault("its bytes are damaged"))),
        }
    }
}

fn fault(why: &str) -> StreamFault {
    StreamFault::Corrupt(why.to_owned())
}

impl fmt::Debug for Bzip2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bzip2").finish()
    }
}
