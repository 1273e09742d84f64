//! A stream of xz: its checks are always held against what came of it.

use alloc::borrow::ToOwned;
use alloc::format;
use core::fmt;

use liblzma::stream::{Action, Error, Status, Stream, TELL_UNSUPPORTED_CHECK};

use super::{Failed, Step, StreamFault};

/// The most memory that a stream may want, in bytes: as much as a window of zstd may have. `xz -9` wants 65 MiB,
/// the format allows dictionaries of 4 GiB.
const MEMORY: u64 = 512 << 20;

/// One stream after the other.
pub(super) struct Xz(Option<Stream>);

impl Xz {
    /// In front of the first.
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// Goes on with a stream, up to its end, the end of the bytes or of the room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Failed> {
        let stream = match &mut self.0 {
            Some(stream) => stream,
            // A check that cannot be computed here would be no check.
            none => none.insert(
                Stream::new_stream_decoder(MEMORY, TELL_UNSUPPORTED_CHECK)
                    .map_err(|error| (0, fault(error)))?,
            ),
        };
        let (used, made) = (stream.total_in(), stream.total_out());
        let status = stream.process(input, output, Action::Run);
        let (used, made) = (stream.total_in() - used, stream.total_out() - made);
        let (used, made) = (used as usize, made as usize);
        match status {
            Ok(status) => {
                let ended = status == Status::StreamEnd;
                if ended {
                    self.0 = None;
                }
                Ok(Step { used, made, ended, ..Step::default() })
            }
            Err(error) => Err((used as isize, fault(error))),
        }
    }
}

/// What is wrong, in words.
fn fault(error: Error) -> StreamFault {
    StreamFault::Corrupt(match error {
        Error::MemLimit => {
            format!(
                "its dictionary wants more than {} MiB, which is the most that is taken",
                MEMORY >> 20
            )
        }
        Error::Mem => "there is no memory for its dictionary".to_owned(),
        Error::UnsupportedCheck => "its check is of a kind that is not known".to_owned(),
        Error::Options => "it wants a filter that is not known".to_owned(),
        Error::Format => "it does not begin as xz does".to_owned(),
        Error::Data | Error::Program | Error::NoCheck => "its bytes are damaged".to_owned(),
    })
}

impl fmt::Debug for Xz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Xz").finish()
    }
}
