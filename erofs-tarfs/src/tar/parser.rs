//! The push parser: what it remembers from one push to the next.

use alloc::vec::Vec;

use super::claim::Claim;
use super::extension::Extensions;
use super::header::BLOCK;
use super::pending::Pending;
use super::sparse::BodyMap;
use super::{End, Error, ErrorKind, ParseOptions};

/// Turns the bytes of a tar, in pieces of any size, into [`Entry`](super::Entry)s.
///
/// It reads nothing itself. Feed it with [`push`](Self::push) until the stream ends, then call
/// [`finish`](Self::finish), which is where a truncated stream is told. How the stream is cut
/// into pieces never changes what comes out, save where [`Event::Data`](super::Event::Data) is cut.
///
/// ```
/// use erofs_tarfs::tar::{Event, ParseOptions, Parser};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = tar_of(&[("etc/motd", "hello\n")]);
/// let (mut parser, mut body, mut rest) = (Parser::new(ParseOptions::default()), Vec::new(), &tar[..]);
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
    pub(super) options: ParseOptions,
    /// Bytes of the stream taken so far, those in `block` too.
    pub(super) position: u64,
    pub(super) state: State,
    /// The beginning of a block that the input was cut in, and its length in bytes.
    pub(super) block: [u8; BLOCK],
    pub(super) filled: usize,
    /// The beginning of an extension header's body that the input was cut in.
    pub(super) extension: Vec<u8>,
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
    pub(super) nothing: bool,
    /// The last entry that states a size, and is of a kind that has no body.
    pub(super) claim: Claim,
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
    /// What follows the end marker where that lies in the bytes that a link states: so many bytes up to their
    /// end, then a block that must not be a header.
    Claimed { left: u64 },
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

impl Parser {
    /// A parser at the start of a stream.
    pub fn new(options: ParseOptions) -> Self {
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
            claim: Claim::default(),
            totals: End::default(),
        }
    }

    /// How many bytes come next that need not be fed: the rest of a body and its padding.
    ///
    /// A caller who can seek jumps over them and says so with [`skip`](Self::skip).
    pub fn skippable(&self) -> u64 {
        match self.state {
            State::Body { left, padding, .. } => left.saturating_add(padding),
            _ => 0,
        }
    }

    /// Takes `n` bytes as if they had been fed: at most [`skippable`](Self::skippable), or any
    /// number after the end marker. The caller answers for their being there: what is skipped
    /// past the end of a file is not told as truncated, and an entry that is skipped behind the end marker
    /// not as [`ErrorKind::LinkBody`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Skip`] if more than may be skipped; the parser goes on as if not called.
    /// [`ErrorKind::Limit`] past [`Limits::max_bytes`](crate::limits::Limits::max_bytes).
    pub fn skip(&mut self, n: u64) -> Result<(), Error> {
        let at = self.position;
        let beyond = at.checked_add(n).is_none_or(|end| end > self.options.limits.max_bytes);
        match &mut self.state {
            State::Failed(error) => return Err(error.clone()),
            State::Body { left, padding, .. } if beyond && n <= left.saturating_add(*padding) => {
                return Err(self.too_long());
            }
            State::End | State::Claimed { .. }
                if beyond && n <= (i64::MAX as u64).saturating_sub(at) =>
            {
                return Err(self.too_long());
            }
            State::Body { left, padding, .. } if n <= left.saturating_add(*padding) => {
                let of_body = n.min(*left);
                *left = left.saturating_sub(of_body);
                *padding = padding.saturating_sub(n.saturating_sub(of_body));
            }
            // Below 2^63 real bytes cannot make the sum overflow.
            State::End | State::Claimed { .. } if n <= (i64::MAX as u64).saturating_sub(at) => {
                self.totals.trailing = self.totals.trailing.saturating_add(n);
                self.skip_claimed(n);
            }
            _ if n == 0 => {}
            _ => {
                let available = self.skippable();
                return Err(Error::new(at, &[], ErrorKind::Skip { asked: n, available }));
            }
        }
        self.position = at.saturating_add(n);
        Ok(())
    }

    /// Asks for the body of the entry that was just handed out: its stored bytes follow as
    /// [`Event::Data`](super::Event::Data). Of a sparse file these are its runs, back to back.
    pub fn want_body(&mut self) {
        if let State::Body { deliver: deliver @ Deliver::No, .. } = &mut self.state {
            *deliver = Deliver::Yes;
        }
    }

    /// Bytes of the stream so far, fed or skipped.
    pub fn position(&self) -> u64 {
        self.position
    }
}
