//! A member of gzip: header, deflated bytes, their CRC-32 and length, which are always checked.

use core::fmt;

use zlib_rs::crc32::crc32;
use zlib_rs::{Inflate, InflateFlush, Status};

use super::header::{Header, bad};
use super::{Failed, Step, StreamFault};

/// The largest window that deflate has, 32 KiB, as a power of two.
const WINDOW: u8 = 15;

/// Bytes behind the deflated ones.
const TRAILER: usize = 8;

/// One member after the other.
pub(super) struct Gzip {
    part: Part,
    inflate: Inflate,
    /// Of the bytes that came of this member.
    crc: u32,
    made: u64,
}

enum Part {
    Header(Header),
    Deflated,
    Trailer([u8; TRAILER], usize),
}

impl Gzip {
    /// In front of the first.
    pub(super) fn new() -> Self {
        let part = Part::Header(Header::default());
        Self { part, inflate: Inflate::new(false, WINDOW), crc: 0, made: 0 }
    }

    /// Goes on with a member: with one part of it, up to its end, that of the bytes or of the room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Failed> {
        let mut step = Step::default();
        match &mut self.part {
            Part::Header(header) => {
                step.used = header.take(input).map_err(|fault| (0, fault))?;
                if header.has_ended() {
                    self.inflate.reset(false);
                    (self.crc, self.made) = (0, 0);
                    self.part = Part::Deflated;
                }
            }
            Part::Deflated => {
                (step.used, step.made, step.again) = inflate(&mut self.inflate, input, output)?;
                self.crc = crc32(self.crc, &output[..step.made]);
                self.made += step.made as u64;
                if step.again {
                    self.part = Part::Trailer([0; TRAILER], 0);
                }
            }
            Part::Trailer(bytes, there) => {
                step.used = input.len().min(TRAILER - *there);
                bytes[*there..*there + step.used].copy_from_slice(&input[..step.used]);
                *there += step.used;
                if *there == TRAILER {
                    let bytes = *bytes;
                    self.check(bytes).map_err(|fault| (0, fault))?;
                    self.part = Part::Header(Header::default());
                    step.ended = true;
                }
            }
        }
        Ok(step)
    }

    /// Holds what came of a member against what is said of it.
    fn check(&self, trailer: [u8; TRAILER]) -> Result<(), StreamFault> {
        let [a, b, c, d, rest @ ..] = trailer;
        let (expected, length) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes(rest));
        if expected != self.crc {
            return Err(StreamFault::Checksum { found: self.crc, expected });
        }
        // It is a length modulo 2³² by definition.
        match self.made as u32 {
            found if found == length => Ok(()),
            found => Err(StreamFault::Length { found, expected: length }),
        }
    }
}

impl fmt::Debug for Gzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gzip").field("made", &self.made).finish_non_exhaustive()
    }
}

/// Inflates; answers how many bytes were used and made, and whether they are all.
fn inflate(
    inflate: &mut Inflate,
    input: &[u8],
    output: &mut [u8],
) -> Result<(usize, usize, bool), Failed> {
    let (used, made) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, InflateFlush::NoFlush);
    let (used, made) = (inflate.total_in() - used, inflate.total_out() - made);
    match status {
        Ok(status) => Ok((used as usize, made as usize, matches!(status, Status::StreamEnd))),
        Err(error) => Err((used as usize, bad(inflate.error_message().unwrap_or(error.as_str())))),
    }
}
