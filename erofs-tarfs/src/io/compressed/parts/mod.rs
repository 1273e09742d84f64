//! Members and frames decoded by several threads, where a stream has more than one.
//!
//! A stream is read and cut where a member of gzip or a frame of zstd *seems* to begin: the bytes look so, and
//! compressed bytes may look so by chance, or on purpose. Each part is decoded from its first byte on, by whichever
//! thread is free, before anybody knows whether that was right. It was if the decoder of what is before it was between
//! two members just there: then it would have done the very same. If not, what came of the part is thrown away, and
//! that decoder goes on with its bytes. So all is as if one decoder had had all bytes in their order: what comes out,
//! and what is wrong.
//!
//! ```text
//!  compressed     ├─ member ─┼─ member ─┼─ member … looks like one … ─┼─ member ─┤
//!  parts          ├── part 1 ───────────┼── part 2 ───┼── part 3 ────┼─ part 4 ─┤
//!  decoded by       this thread           another       another        another
//!  and                                    stands        thrown away:   stands
//!                                                       part 2's decoder goes on
//! ```
//!
//! eStargz has members, zstd:chunked, pzstd and bgzip have members or frames in such numbers; what `gzip` and `zstd`
//! write has one, in which nobody looks for more after its first megabytes.

mod crew;
mod cut;
mod pool;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::mem;
use std::io::{Error, Read, Result};

use self::crew::{Crew, Made, Ordered, Piece};
use self::cut::{Cutter, Part};
use self::pool::Pool;
use super::{BrokenStream, Compression, Decompressor, Ratio};
use crate::limits::Limits;

/// Compressed bytes of parts that are read ahead: from so many on no more are read.
const AHEAD: usize = 16 << 20;

/// A stream that is decoded in parts.
pub(super) struct Parts {
    compression: Compression,
    ratio: Ratio,
    cutter: Cutter,
    current: Current,
    /// Parts that were read, in their order, and who decodes them.
    coming: VecDeque<(Part, Option<Ordered>)>,
    /// Dropped behind those two, as threads wait for them to take what was made.
    crew: Crew,
    /// What the reader said behind them.
    end: Option<Result<()>>,
    /// Compressed bytes that were used so far, and what came of them.
    used: u64,
    made: u64,
    failed: Option<BrokenStream>,
}

/// A decoder, and where in the stream its first byte was.
struct Decoder {
    stream: Box<Decompressor>,
    base: u64,
}

/// Where the next bytes come from.
enum Current {
    /// A part is over, which this decoder has had.
    Between(Option<Decoder>),
    /// This thread decodes what is left of a part.
    Own(Decoder, Part),
    /// Another thread does that of a part which begins at this byte. Of a piece of what it has made so many bytes
    /// are taken.
    Other(u64, Ordered, Option<(Piece, usize)>),
}

impl Parts {
    /// Whether streams of this kind are looked into for parts.
    pub(super) fn has(compression: Compression) -> bool {
        matches!(compression, Compression::Gzip | Compression::Zstd)
    }

    /// The stream of such a decoder from its beginning on, decoded by so many threads at most beside the caller's.
    pub(super) fn new(like: &Decompressor, threads: usize) -> Self {
        let (compression, pool) = (like.compression(), Pool::default());
        Self {
            compression,
            ratio: like.ratio(),
            cutter: Cutter::new(compression, pool.clone()),
            current: Current::Between(None),
            coming: VecDeque::new(),
            crew: Crew::new(compression, threads, pool),
            end: None,
            used: 0,
            made: 0,
            failed: None,
        }
    }

    /// Sets how much longer than its compressed bytes it may be.
    pub(super) fn limits(self, limits: Limits) -> Self {
        Self { ratio: limits.into(), ..self }
    }

    /// Compressed bytes that were used so far.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// The next uncompressed bytes; none at the end.
    pub(super) fn read(&mut self, reader: &mut impl Read, buf: &mut [u8]) -> Result<usize> {
        if let Some(broken) = &self.failed {
            return Err(broken.clone().of_reader());
        }
        while !buf.is_empty() {
            if matches!(self.current, Current::Between(_)) && !self.begin(reader)? {
                return self.finish().map(|()| 0).map_err(|broken| self.fails(broken));
            }
            let made = match &self.current {
                Current::Other(..) => self.take(buf)?,
                _ => self.decode(buf),
            };
            let made = made.and_then(|made| self.count(made));
            match made.map_err(|broken| self.fails(broken))? {
                0 => {}
                made => return Ok(made),
            }
        }
        Ok(0)
    }

    /// Goes on to the next part. False if there is none.
    fn begin(&mut self, reader: &mut impl Read) -> Result<bool> {
        self.read_ahead(reader);
        let Some((part, ordered)) = self.coming.pop_front() else {
            // Whoever asks again has the reader asked again.
            return self.end.take().unwrap_or(Ok(())).map(|()| false);
        };
        let before = match mem::replace(&mut self.current, Current::Between(None)) {
            Current::Between(before) => before,
            _ => None,
        };
        let before = before.filter(|before| !part.begins || !before.stream.is_between());
        let others = ordered.filter(|ordered| !ordered.is_taken_back());
        self.current = match (before, others) {
            (Some(before), _) => {
                if part.begins {
                    self.cutter.was_false();
                }
                Current::Own(before, part)
            }
            (None, Some(others)) => Current::Other(part.at, others, None),
            (None, None) => {
                let stream = Decompressor::of_part(self.compression);
                let stream = stream.map_err(BrokenStream::of_reader)?;
                let decoder = Decoder { stream: Box::new(stream), base: part.at };
                Current::Own(decoder, part)
            }
        };
        Ok(true)
    }

    /// Reads parts and orders them, as many as are of use.
    fn read_ahead(&mut self, reader: &mut impl Read) {
        let bytes = |(part, _): &(Part, _)| part.len();
        let mut ahead: usize = self.coming.iter().map(bytes).sum();
        while self.end.is_none() && (self.coming.is_empty() || ahead < AHEAD) {
            let most = if self.cutter.is_promising() { 1 + self.crew.most() } else { 1 };
            if self.coming.len() >= most {
                break;
            }
            match self.cutter.next(reader) {
                Ok(part) if part.len() == 0 => self.end = Some(Ok(())),
                Ok(part) => {
                    ahead += part.len();
                    let wanted = part.begins && self.cutter.is_promising();
                    let ordered = wanted.then(|| self.crew.order(part.clone()));
                    self.coming.push_back((part, ordered));
                }
                Err(error) => self.end = Some(Err(error)),
            }
        }
    }

    /// Decodes bytes of the current part.
    fn decode(&mut self, buf: &mut [u8]) -> core::result::Result<usize, BrokenStream> {
        let Current::Own(decoder, part) = &mut self.current else { return Ok(0) };
        let done = decoder.stream.decompress(part.bytes(), buf);
        let done = done.map_err(|broken| broken.behind(decoder.base))?;
        part.pass(done.used);
        self.used = decoder.base.saturating_add(decoder.stream.used());
        // All of it is used, and all that comes of it is out.
        if done.made < buf.len() && part.len() == 0 {
            let over = mem::replace(&mut self.current, Current::Between(None));
            if let Current::Own(decoder, _) = over {
                self.current = Current::Between(Some(decoder));
            }
        }
        Ok(done.made)
    }

    /// Takes bytes that another thread has made of the current part.
    fn take(&mut self, buf: &mut [u8]) -> Result<core::result::Result<usize, BrokenStream>> {
        let Current::Other(base, ordered, piece) = &mut self.current else { return Ok(Ok(0)) };
        if let Some((full, at)) = piece {
            let rest = &full.bytes()[*at..];
            let taken = rest.len().min(buf.len());
            buf[..taken].copy_from_slice(&rest[..taken]);
            *at += taken;
            if taken == rest.len() {
                *piece = None;
            }
            return Ok(Ok(taken));
        }
        let base = *base;
        match ordered.made.recv() {
            Ok(Made::Bytes(full)) => {
                self.used = base.saturating_add(full.used);
                *piece = Some((full, 0));
            }
            Ok(Made::End(stream)) => {
                self.used = base.saturating_add(stream.used());
                self.current = Current::Between(Some(Decoder { stream, base }));
            }
            Ok(Made::Failed(broken)) => return Ok(Err(broken.behind(base))),
            Err(_) => return Err(Error::other("a thread that decompresses has panicked")),
        }
        Ok(Ok(0))
    }

    /// Counts bytes that are handed out.
    fn count(&mut self, made: usize) -> core::result::Result<usize, BrokenStream> {
        self.made = self.made.saturating_add(made as u64);
        let (compression, offset) = (self.compression, self.used);
        let checked = self.ratio.check(self.used, self.made);
        checked.map_err(|fault| BrokenStream { compression, offset, fault }).map(|()| made)
    }

    /// Whether the stream may end here.
    fn finish(&mut self) -> core::result::Result<(), BrokenStream> {
        let Current::Between(Some(Decoder { stream, base })) = &mut self.current else {
            return Ok(());
        };
        stream.finish().map_err(|broken| broken.behind(*base))
    }

    fn fails(&mut self, broken: BrokenStream) -> Error {
        self.failed = Some(broken.clone());
        broken.of_reader()
    }
}
