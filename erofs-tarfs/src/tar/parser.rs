//! The push parser: which part of the tar the next bytes are.

use alloc::vec::Vec;
use core::ops::Range;

use super::assemble::{Pending, Source};
use super::body::{own_size, padding};
use super::extension::Extensions;
use super::header::{BLOCK, Header, Verdict, verify};
use super::sparse::BodyMap;
use super::{End, Error, ErrorKind, Event, Options, Step};

/// Turns the bytes of a tar, in pieces of any size, into [`Entry`](super::Entry)s.
///
/// It reads nothing itself. Feed it with [`push`](Self::push) until the stream ends, then call
/// [`finish`](Self::finish), which is where a truncated stream is told. How the stream is cut
/// into pieces never changes what comes out, save where [`Event::Data`] is cut.
///
/// ```
/// use erofs_tarfs::tar::{Event, Options, Parser};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = tar_of(&[("etc/motd", "hello\n")]);
/// let (mut parser, mut body, mut rest) = (Parser::new(Options::default()), Vec::new(), &tar[..]);
/// while !rest.is_empty() {
///     let step = parser.push(rest)?;
///     rest = &rest[step.consumed..];
///     match step.event {
///         Event::Entry(_) => parser.want_body(),
///         Event::Data(piece) => body.extend_from_slice(piece),
///         Event::NeedInput => {}
///     }
/// }
/// assert_eq!((&body[..], parser.finish()?.entries), (&b"hello\n"[..], 1));
/// # Ok::<(), erofs_tarfs::tar::Error>(())
/// ```
#[derive(Debug)]
pub struct Parser {
    pub(super) options: Options,
    /// Bytes of the stream taken so far, those in `block` too.
    pub(super) position: u64,
    pub(super) state: State,
    /// The beginning of a block that the input was cut in, and its length in bytes.
    pub(super) block: [u8; BLOCK],
    pub(super) filled: usize,
    /// The beginning of an extension header's body that the input was cut in.
    extension: Vec<u8>,
    /// Bytes of extension headers since the last entry.
    pub(super) extension_bytes: u64,
    /// What extension headers say of the next entry, and of all.
    pub(super) local: Extensions,
    pub(super) global: Extensions,
    /// The last entry's header where it is not in the input, its prefix and name joined, and
    /// the start of its path for errors.
    pub(super) header: [u8; BLOCK],
    pub(super) joined: Vec<u8>,
    pub(super) body_path: Vec<u8>,
    pub(super) entry_offset: u64,
    /// Whether an entry was handed out whose extensions are to be forgotten.
    pub(super) emitted: bool,
    /// Whether the last block was zero.
    pub(super) zero_block: bool,
    /// Whether the stream begins with its end marker.
    nothing: bool,
    pub(super) totals: End,
}

/// What the next bytes are.
#[derive(Debug)]
pub(super) enum State {
    /// A header, or a zero block.
    Header,
    /// The body of the extension header at `offset`.
    Extension { kind: Extension, offset: u64, left: u64, padding: u64 },
    /// Blocks of runs after an old GNU sparse header.
    SparseBlocks(Pending),
    /// The map at the start of a body.
    SparseMap(Pending, BodyMap),
    /// A body and its padding.
    Body { left: u64, padding: u64, deliver: Deliver },
    /// What follows the end marker.
    End,
    /// Nothing: the stream is faulty.
    Failed(Error),
}

/// Whether a body is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deliver {
    /// It is not an entry's.
    Never,
    /// The caller did not ask.
    No,
    /// The caller asked.
    Yes,
}

/// An extension header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    Pax,
    Global,
    GnuPath,
    GnuLink,
}

enum Found {
    Nothing,
    Entry(Pending),
    Data(Range<usize>),
}

impl Parser {
    /// A parser at the start of a stream.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            position: 0,
            state: State::Header,
            block: [0; BLOCK],
            filled: 0,
            extension: Vec::new(),
            extension_bytes: 0,
            local: Extensions::default(),
            global: Extensions::default(),
            header: [0; BLOCK],
            joined: Vec::new(),
            body_path: Vec::new(),
            entry_offset: 0,
            emitted: false,
            zero_block: false,
            nothing: false,
            totals: End::default(),
        }
    }

    /// Takes the next bytes of the tar, up to the first event that they make.
    ///
    /// With [`Event::NeedInput`] all of `input` was consumed; with the others perhaps not, and
    /// the rest is to be pushed again.
    ///
    /// # Errors
    ///
    /// On what is not a tar that we read; every further call returns the same error.
    pub fn push<'a>(&'a mut self, input: &'a [u8]) -> Result<Step<'a>, Error> {
        if let Some(plain) = self.plain(input) {
            let (consumed, entry) = self.plain_entry(&plain, input);
            return Ok(Step { consumed, event: Event::Entry(entry) });
        }
        let mut consumed = 0;
        let event = match self.advance(input, &mut consumed) {
            Ok(Found::Nothing) => Event::NeedInput,
            Ok(Found::Data(range)) => Event::Data(&input[range]),
            Ok(Found::Entry(pending)) => Event::Entry(self.entry(&pending, input)),
            Err(error) => {
                self.state = State::Failed(error.clone());
                return Err(error);
            }
        };
        Ok(Step { consumed, event })
    }

    /// How many bytes come next that need not be fed: the rest of a body and its padding.
    ///
    /// A caller who can seek jumps over them and says so with [`skip`](Self::skip).
    pub fn skippable(&self) -> u64 {
        match self.state {
            State::Body { left, padding, .. } => left + padding,
            _ => 0,
        }
    }

    /// Takes `n` bytes as if they had been fed: at most [`skippable`](Self::skippable), or any
    /// number after the end marker. The caller answers for their being there: what is skipped
    /// past the end of a file is not told as truncated.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Skip`] if more than may be skipped; the parser goes on as if not called.
    pub fn skip(&mut self, n: u64) -> Result<(), Error> {
        let at = self.position;
        match &mut self.state {
            State::Failed(error) => return Err(error.clone()),
            State::Body { left, padding, .. } if n <= *left + *padding => {
                let of_body = n.min(*left);
                *left -= of_body;
                *padding -= n - of_body;
            }
            // Below 2^63 real bytes cannot make the sum overflow.
            State::End if n <= (i64::MAX as u64).saturating_sub(at) => self.totals.trailing += n,
            _ if n == 0 => {}
            _ => {
                let available = self.skippable();
                return Err(Error::new(at, &[], ErrorKind::Skip { asked: n, available }));
            }
        }
        self.position += n;
        Ok(())
    }

    /// Asks for the body of the entry that was just handed out: its stored bytes follow as
    /// [`Event::Data`]. Of a sparse file these are its runs, back to back.
    pub fn want_body(&mut self) {
        if let State::Body { deliver: deliver @ Deliver::No, .. } = &mut self.state {
            *deliver = Deliver::Yes;
        }
    }

    /// Bytes of the stream so far, fed or skipped.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn advance(&mut self, input: &[u8], at: &mut usize) -> Result<Found, Error> {
        if core::mem::take(&mut self.emitted) {
            self.local.clear();
        }
        loop {
            let rest = &input[*at..];
            // An extension header without a body is complete as it is.
            let starved =
                rest.is_empty() && !matches!(self.state, State::Extension { left: 0, .. });
            match &mut self.state {
                State::Failed(error) => return Err(error.clone()),
                State::Body { left: 0, padding: 0, .. } => self.state = State::Header,
                _ if starved => return Ok(Found::Nothing),
                State::Body { left, padding, deliver } => {
                    let of_body = *left > 0;
                    let part = if of_body { left } else { padding };
                    let n = usize::try_from(*part).unwrap_or(usize::MAX).min(rest.len());
                    *part -= n as u64;
                    let deliver = of_body && *deliver == Deliver::Yes;
                    let start = *at;
                    self.take(n, at);
                    if deliver {
                        return Ok(Found::Data(start..*at));
                    }
                }
                State::End => {
                    // Two blocks of zeros and no entry before them: with more zeros an empty
                    // archive, with anything else no archive at all.
                    if self.nothing && rest.iter().any(|&byte| byte != 0) {
                        let zeros = rest.iter().take_while(|&&byte| byte == 0).count() as u64;
                        let at = self.position + zeros;
                        return Err(Error::new(at, &[], ErrorKind::NoEntries));
                    }
                    self.totals.trailing += rest.len() as u64;
                    self.take(rest.len(), at);
                }
                &mut State::Extension { kind, offset, left, padding } => {
                    let n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    self.take(n, at);
                    let whole = n as u64 == left;
                    let result = if whole && self.extension.is_empty() {
                        self.extend(kind, &rest[..n])
                    } else {
                        self.extension.extend_from_slice(&rest[..n]);
                        if !whole {
                            let left = left - n as u64;
                            self.state = State::Extension { kind, offset, left, padding };
                            continue;
                        }
                        let mut body = core::mem::take(&mut self.extension);
                        let result = self.extend(kind, &body);
                        body.clear();
                        self.extension = body;
                        result
                    };
                    result.map_err(|kind| Error::new(offset, &[], kind))?;
                    self.state = State::Body { left: 0, padding, deliver: Deliver::Never };
                }
                State::Header | State::SparseBlocks(_) | State::SparseMap(..) => {
                    let start = *at;
                    let Some(source) = self.take_block(rest, at) else {
                        return Ok(Found::Nothing);
                    };
                    let stash;
                    let block = match (source, input[start..].first_chunk()) {
                        (Source::Input, Some(block)) => block,
                        _ => {
                            stash = self.block;
                            &stash
                        }
                    };
                    if let Some(mut pending) = self.block(block, source)? {
                        pending.input_at = start;
                        self.emitted = true;
                        return Ok(Found::Entry(pending));
                    }
                }
            }
        }
    }

    fn take(&mut self, n: usize, at: &mut usize) {
        *at += n;
        self.position += n as u64;
    }

    /// Takes a block: where it lies whole in the input, without touching it.
    fn take_block(&mut self, rest: &[u8], at: &mut usize) -> Option<Source> {
        if self.filled == 0 && rest.len() >= BLOCK {
            self.take(BLOCK, at);
            return Some(Source::Input);
        }
        let n = rest.len().min(BLOCK - self.filled);
        self.block[self.filled..self.filled + n].copy_from_slice(&rest[..n]);
        self.filled += n;
        self.take(n, at);
        (self.filled == BLOCK).then(|| {
            self.filled = 0;
            Source::Kept
        })
    }

    /// Takes a whole block, which ends at `position`.
    fn block(&mut self, block: &[u8; BLOCK], source: Source) -> Result<Option<Pending>, Error> {
        match core::mem::replace(&mut self.state, State::Header) {
            State::SparseBlocks(pending) => self.sparse_block(pending, block),
            State::SparseMap(pending, map) => self.sparse_map(pending, map, block),
            _ => self.header_block(block, source),
        }
    }

    fn header_block(
        &mut self,
        block: &[u8; BLOCK],
        source: Source,
    ) -> Result<Option<Pending>, Error> {
        let offset = self.position - BLOCK as u64;
        let fail = |kind| Error::new(offset, &[], kind);
        match verify(block) {
            Verdict::Zero if self.zero_block => {
                self.local.clear();
                self.nothing = offset == BLOCK as u64;
                self.state = State::End;
                return Ok(None);
            }
            Verdict::Zero => {
                self.zero_block = true;
                return Ok(None);
            }
            _ if self.zero_block => {
                return Err(Error::new(offset - BLOCK as u64, &[], ErrorKind::LoneZeroBlock));
            }
            Verdict::Bad { computed } => {
                let mut stored = [0; 8];
                stored.copy_from_slice(&block[148..156]);
                let kind = self.compressed(offset, block);
                return Err(fail(kind.unwrap_or(ErrorKind::Checksum { computed, stored })));
            }
            Verdict::Sound => {}
        }
        let header = Header(block);
        let kind = match header.type_flag() {
            // X is Solaris's older name of x; GNU tar reads it too.
            b'x' | b'X' => Extension::Pax,
            b'g' => Extension::Global,
            b'L' => Extension::GnuPath,
            b'K' => Extension::GnuLink,
            b'V' => {
                self.local.clear();
                self.totals.skipped_labels += 1;
                let size = own_size(header).map_err(fail)?;
                self.pass_over(offset, &block[header.name()], size)?;
                return Ok(None);
            }
            _ => return self.entry_header(header, source, offset),
        };
        let left = own_size(header).map_err(fail)?;
        let total = if kind == Extension::Global {
            left
        } else {
            self.extension_bytes = self.extension_bytes.saturating_add(left);
            self.extension_bytes
        };
        let limit = self.options.max_extension_bytes;
        if total > limit {
            let what = "max_extension_bytes";
            return Err(fail(ErrorKind::Limit { what, value: total, limit }));
        }
        self.state = State::Extension { kind, offset, left, padding: padding(left) };
        Ok(None)
    }

    fn extend(&mut self, kind: Extension, body: &[u8]) -> Result<(), ErrorKind> {
        match kind {
            Extension::Pax => self.local.pax(body, false, &self.options)?,
            Extension::GnuPath => self.local.gnu_path(body),
            Extension::GnuLink => self.local.gnu_link(body),
            Extension::Global => {
                self.global.pax(body, true, &self.options)?;
                self.global.finish_global(&self.options)?;
            }
        }
        Ok(())
    }
}
