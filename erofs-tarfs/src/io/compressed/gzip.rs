//! A member of gzip: header, deflated bytes, their CRC-32 and length, which are always checked.

use core::fmt;

use zlib_rs::crc32::crc32;

use super::deflate::Deflate;
use super::header::Header;
use super::{Failed, Step, StreamFault, TRAILER};

/// One member after the other.
pub(super) struct Gzip {
    part: Part,
    deflate: Deflate,
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
        Self { part, deflate: Deflate::new(), crc: 0, made: 0 }
    }

    /// Goes on with a member: with one part of it, up to its end, that of the bytes or of the room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Failed> {
        let mut step = Step::default();
        match &mut self.part {
            Part::Header(header) => {
                step.used = header.take(input).map_err(|(used, fault)| (used as isize, fault))?;
                if header.has_ended() {
                    self.deflate.reset();
                    (self.crc, self.made) = (0, 0);
                    self.part = Part::Deflated;
                }
            }
            Part::Deflated => {
                let done = self.deflate.step(input, output)?;
                (step.used, step.made) = (done.used, done.made);
                self.crc = crc32(self.crc, &output[..step.made]);
                self.made += step.made as u64;
                if let Some((trailer, there)) = done.ended {
                    self.part = Part::Trailer(trailer, there);
                    step.again = true;
                }
            }
            Part::Trailer(bytes, there) => {
                let before = *there;
                step.used = input.len().min(TRAILER - before);
                bytes[before..before + step.used].copy_from_slice(&input[..step.used]);
                *there += step.used;
                if *there == TRAILER {
                    let bytes = *bytes;
                    // It is where the trailer begins, whatever pieces it came in.
                    self.check(bytes).map_err(|fault| (-(before as isize), fault))?;
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
