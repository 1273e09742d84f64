//! Compressed bytes in, uncompressed ones out; no reader, no writer.

use super::padding::Padding;
use super::ratio::Ratio;
use super::{BrokenStream, Compression, Failed, Step, StreamFault};
use crate::limits::Limits;

/// Takes a compressed stream in pieces of any size: its members or frames one behind the other, and
/// zeros behind the last, as tapes have them. Checksums are always checked.
///
/// It has a window and tables, no more: 50 KB for gzip (150 KB with ISA-L), 4 MB for bzip2; for zstd and xz what the
/// stream says, 512 MiB at most.
///
/// # Examples
/// ```
/// # #[cfg(feature = "gzip")] {
/// use erofs_tarfs::io::{Compression, Decompressor};
///
/// let hello = [
///     0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, // header, bytes
///     0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0, // CRC-32, length
/// ];
/// let mut stream = Decompressor::new(Compression::Gzip)?;
/// let mut room = [0; 64];
/// let done = stream.decompress(&hello, &mut room)?;
/// stream.finish()?; // nothing is missing
/// assert_eq!((done.used, &room[..done.made]), (25, &b"hello"[..]));
/// # }
/// # Ok::<(), erofs_tarfs::io::BrokenStream>(())
/// ```
#[derive(Debug)]
pub struct Decompressor {
    compression: Compression,
    frames: Frames,
    state: State,
    ratio: Ratio,
    used: u64,
    made: u64,
    /// Whether all that can be made of the bytes so far was handed out.
    is_out: bool,
}

/// What one call did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decompressed {
    /// Compressed bytes that were taken.
    pub used: usize,
    /// Uncompressed bytes that are at the beginning of the output.
    pub made: usize,
}

/// Who decodes a member or a frame.
#[derive(Debug)]
enum Frames {
    Plain,
    #[cfg(feature = "gzip")]
    Gzip(alloc::boxed::Box<super::gzip::Gzip>),
    #[cfg(feature = "zstd")]
    Zstd(super::zstd::Zstd),
    #[cfg(feature = "xz")]
    Xz(super::xz::Xz),
    #[cfg(feature = "bzip2")]
    Bzip2(super::bzip2::Bzip2),
}

/// Where in the stream it is.
#[derive(Clone, Debug)]
enum State {
    /// In front of a member or frame, or at the end.
    Between,
    Inside,
    /// Behind the last.
    Padding(Padding),
    Failed(BrokenStream),
}

impl Frames {
    /// Goes on with a member or frame, up to its end, the end of the bytes or of the room.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Failed> {
        match self {
            Self::Plain => {
                let most = input.len().min(output.len());
                output[..most].copy_from_slice(&input[..most]);
                Ok(Step { used: most, made: most, ..Step::default() })
            }
            #[cfg(feature = "gzip")]
            Self::Gzip(gzip) => gzip.step(input, output),
            #[cfg(feature = "zstd")]
            Self::Zstd(zstd) => zstd.step(input, output),
            #[cfg(feature = "xz")]
            Self::Xz(xz) => xz.step(input, output),
            #[cfg(feature = "bzip2")]
            Self::Bzip2(bzip2) => bzip2.step(input, output),
        }
    }
}

impl Decompressor {
    /// At the beginning of a stream.
    ///
    /// # Errors
    /// [`StreamFault::Unsupported`] if the feature of that name is off.
    pub fn new(compression: Compression) -> Result<Self, BrokenStream> {
        let frames = match compression {
            Compression::None => Some(Frames::Plain),
            #[cfg(feature = "gzip")]
            Compression::Gzip => Some(Frames::Gzip(super::gzip::Gzip::new().into())),
            #[cfg(feature = "zstd")]
            Compression::Zstd => super::zstd::Zstd::new().map(Frames::Zstd),
            #[cfg(feature = "xz")]
            Compression::Xz => Some(Frames::Xz(super::xz::Xz::new())),
            #[cfg(feature = "bzip2")]
            Compression::Bzip2 => Some(Frames::Bzip2(super::bzip2::Bzip2::new())),
            #[cfg(not(all(
                feature = "gzip",
                feature = "zstd",
                feature = "xz",
                feature = "bzip2"
            )))]
            _ => None,
        };
        let Some(frames) = frames else {
            let fault = StreamFault::Unsupported(compression);
            return Err(BrokenStream { compression, offset: 0, fault });
        };
        let (state, ratio) = (State::Between, Ratio::default());
        Ok(Self { compression, frames, state, ratio, used: 0, made: 0, is_out: true })
    }

    /// Sets how much may be made of little: of all limits the ratio of uncompressed bytes to compressed ones, from
    /// 256 MiB on, 200 by default. What is plain is as long as it is.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { ratio: limits.into(), ..self }
    }

    /// Compressed bytes that were used so far.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Uncompressed bytes that were made so far.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// At the beginning of a part of a stream, without limits: what is before it counts too.
    pub(super) fn of_part(compression: Compression) -> Result<Self, BrokenStream> {
        Ok(Self { ratio: Ratio(u64::MAX), ..Self::new(compression)? })
    }

    /// How the stream is compressed.
    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// How much may be made of little.
    pub(super) fn ratio(&self) -> Ratio {
        self.ratio
    }

    /// Whether it is in front of a member or frame, or at the end.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.state, State::Between)
    }

    /// Takes the next compressed bytes, and puts uncompressed ones into `output`, until the former are
    /// at their end or the latter is full. While it is, there may be more of what was taken: it wants
    /// another call, with no bytes if there are none.
    ///
    /// # Errors
    /// What is wrong with the stream. It stays wrong then.
    pub fn decompress(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<Decompressed, BrokenStream> {
        let mut done = Decompressed::default();
        // Decoders take it for a fault if they are asked again and again for nothing.
        if output.is_empty() || (input.is_empty() && self.is_out) {
            return Ok(done);
        }
        loop {
            let step = self.step(&input[done.used..], &mut output[done.made..])?;
            done.used += step.used;
            done.made += step.made;
            self.is_out = done.made < output.len();
            if !self.is_out || (step.used == 0 && step.made == 0 && !step.again) {
                return Ok(done);
            }
        }
    }

    /// Says that no bytes follow those that were taken, of which all is out.
    ///
    /// # Errors
    /// [`StreamFault::Cut`], or [`StreamFault::Behind`] with the place where the stream itself ends.
    pub fn finish(&mut self) -> Result<(), BrokenStream> {
        match &self.state {
            State::Between => Ok(()),
            // Where it ends is for its reader to say.
            State::Inside if self.compression == Compression::None => Ok(()),
            State::Inside => Err(self.fails(StreamFault::Cut)),
            State::Failed(broken) => Err(broken.clone()),
            State::Padding(padding) => {
                let (end, checked) = (self.used - padding.bytes(), padding.check());
                checked.map_err(|fault| self.broken(end, fault))
            }
        }
    }

    /// Does one thing.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, BrokenStream> {
        let step = match &mut self.state {
            State::Failed(broken) => return Err(broken.clone()),
            State::Between => match input.first() {
                None => return Ok(Step::default()),
                Some(first) => {
                    let goes_on = self.used == 0 || self.compression.goes_on(*first);
                    self.state =
                        if goes_on { State::Inside } else { State::Padding(Padding::default()) };
                    return Ok(Step { again: true, ..Step::default() });
                }
            },
            State::Padding(padding) => {
                padding.take(input);
                Step { used: input.len(), ..Step::default() }
            }
            State::Inside => self.frames.step(input, output).map_err(|(used, fault)| {
                self.used = self.used.saturating_add_signed(used as i64);
                self.fails(fault)
            })?,
        };
        self.used += step.used as u64;
        self.made += step.made as u64;
        if step.ended {
            self.state = State::Between;
        }
        if self.compression != Compression::None {
            self.ratio.check(self.used, self.made).map_err(|fault| self.fails(fault))?;
        }
        Ok(step)
    }

    fn fails(&mut self, fault: StreamFault) -> BrokenStream {
        self.broken(self.used, fault)
    }

    fn broken(&mut self, offset: u64, fault: StreamFault) -> BrokenStream {
        let broken = BrokenStream { compression: self.compression, offset, fault };
        self.state = State::Failed(broken.clone());
        broken
    }
}
