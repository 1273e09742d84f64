//! Compressed streams: members and frames one after the other, padding behind them, and errors
//! that say where in the compressed bytes they are.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::GzDecoder;
use zstd::stream::raw::{Decoder as ZstdDecoder, InBuffer, Operation, OutBuffer};

use crate::cli::broken_stream::BrokenStream;
use crate::files::kind::Kind;

/// How much is read at once, in bytes.
const BUFFER: usize = 256 << 10;

/// The uncompressed bytes of a gzip or zstd stream.
pub(crate) struct Uncompressed<R: Read> {
    kind: Kind,
    state: State<Counted<R>>,
    /// Decodes one frame after the other; some streams have one for each file in them.
    zstd: Option<ZstdDecoder<'static>>,
    /// Whether the frame is at its end.
    ended: bool,
    used: Rc<Cell<u64>>,
}

enum State<R: BufRead> {
    /// In front of a member, or at the end.
    Between(R),
    Gzip(Box<GzDecoder<R>>),
    Zstd(R),
    /// It is over.
    Ended,
}

/// Decodes more of a frame; 0 bytes at its end.
fn frame<R: BufRead>(
    decoder: &mut ZstdDecoder<'_>,
    reader: &mut R,
    ended: &mut bool,
    buf: &mut [u8],
) -> io::Result<usize> {
    while !*ended {
        let piece = reader.fill_buf()?;
        let over = piece.is_empty();
        let (mut from, mut to) = (InBuffer::around(piece), OutBuffer::around(&mut *buf));
        *ended = decoder.run(&mut from, &mut to)? == 0;
        let (used, made) = (from.pos(), to.pos());
        reader.consume(used);
        if made > 0 {
            return Ok(made);
        }
        if over && !*ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(0)
}

impl<R: Read> Uncompressed<R> {
    /// Decompresses a stream of this kind, at whose beginning the reader is.
    pub(crate) fn new(kind: Kind, reader: R) -> Self {
        let used = Rc::new(Cell::new(0));
        let reader = BufReader::with_capacity(BUFFER, reader);
        let counted = Counted { reader, used: Rc::clone(&used) };
        Self { kind, state: State::Between(counted), zstd: None, ended: false, used }
    }

    /// How many compressed bytes were used so far.
    pub(crate) fn used(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.used)
    }

    fn broken(&self, why: impl fmt::Display) -> io::Error {
        let (kind, offset) = (self.kind, self.used.get());
        io::Error::new(
            io::ErrorKind::InvalidData,
            BrokenStream { kind: kind.to_string(), offset, why: why.to_string() },
        )
    }

    /// What the decoder says; errors of the file itself stay what they are.
    fn why(&self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.broken("it ends in the middle"),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                self.broken(error)
            }
            _ => error,
        }
    }

    /// Begins the next member, or finds out that there is none.
    fn next(&mut self, mut reader: Counted<R>) -> io::Result<()> {
        let head = reader.fill_buf()?;
        if head.is_empty() {
            return Ok(());
        }
        let goes_on = match self.kind {
            Kind::Zstd => matches!(head[0], 0x28 | 0x50..=0x5f),
            _ => head[0] == 0x1f,
        };
        if self.used.get() > 0 && !goes_on {
            return self.padding(reader);
        }
        self.state = match self.kind {
            Kind::Zstd => {
                if self.zstd.is_none() {
                    self.zstd = Some(ZstdDecoder::new()?);
                }
                self.ended = false;
                State::Zstd(reader)
            }
            _ => State::Gzip(Box::new(GzDecoder::new(reader))),
        };
        Ok(())
    }

    /// What is left must be zeros: streams that were on tapes are filled up to whole records.
    fn padding(&self, mut reader: Counted<R>) -> io::Result<()> {
        let begin = self.used.get();
        let (mut other, mut at) = (0_u64, begin);
        loop {
            let piece = reader.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            other += piece.iter().filter(|byte| **byte != 0).count() as u64;
            let n = piece.len();
            at += n as u64;
            reader.consume(n);
        }
        if other == 0 {
            return Ok(());
        }
        self.used.set(begin);
        let behind = at - begin;
        Err(self.broken(format_args!(
            "it ends there, and {behind} bytes follow, {other} of them other than zero"
        )))
    }
}

impl<R: Read> Read for Uncompressed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let n = match &mut self.state {
                State::Ended => return Ok(0),
                State::Between(_) => {
                    if let State::Between(reader) = std::mem::replace(&mut self.state, State::Ended)
                    {
                        self.next(reader)?;
                    }
                    continue;
                }
                State::Gzip(member) => member.read(buf),
                State::Zstd(reader) => match &mut self.zstd {
                    Some(decoder) => frame(decoder, reader, &mut self.ended, buf),
                    None => Ok(0),
                },
            };
            match n.map_err(|error| self.why(error))? {
                0 => {
                    self.state = match std::mem::replace(&mut self.state, State::Ended) {
                        State::Gzip(member) => State::Between(member.into_inner()),
                        State::Zstd(reader) => State::Between(reader),
                        other => other,
                    };
                }
                n => return Ok(n),
            }
        }
    }
}

/// A reader that counts what was used of it.
struct Counted<R> {
    reader: BufReader<R>,
    used: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf)?;
        self.used.set(self.used.get() + n as u64);
        Ok(n)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.used.set(self.used.get() + n as u64);
        self.reader.consume(n);
    }
}

#[cfg(test)]
mod tests;
