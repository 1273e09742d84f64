//! Which part of the tar the next bytes are.

use core::ops::Range;

use super::fields::{own_size, padding};
use super::header::{BLOCK, Header, Verdict, verify};
use super::parser::{Deliver, Extension, Parser, State};
use super::part::{first, from, part};
use super::pending::{Pending, Source};
use super::{Error, ErrorKind, Event, Step};
use crate::limits::{Limit, OverLimit};

enum Found {
    Nothing,
    Entry(Pending),
    Data(Range<usize>),
}

impl Parser {
    /// Takes the next bytes of the tar, up to the first event that they make.
    ///
    /// With [`Event::NeedInput`] all of `input` was consumed; with the others perhaps not, and
    /// the rest is to be pushed again.
    ///
    /// # Errors
    ///
    /// On what is not a tar that we read; every further call returns the same error.
    pub fn push<'a>(&'a mut self, input: &'a [u8]) -> Result<Step<'a>, Error> {
        // What is within the limit is taken first, so that it does not matter how the tar is cut.
        let room = self.options.limits.max_bytes.saturating_sub(self.position);
        let within = usize::try_from(room).unwrap_or(usize::MAX).min(input.len());
        let (input, beyond) = input.split_at(within);
        if let Some(plain) = self.plain(input) {
            let (consumed, entry) = self.plain_entry(&plain, input);
            return Ok(Step { consumed, event: Event::Entry(entry) });
        }
        let mut consumed = 0;
        let event = match self.advance(input, &mut consumed) {
            Ok(Found::Nothing) if !beyond.is_empty() => return Err(self.too_long()),
            Ok(Found::Nothing) => Event::NeedInput,
            Ok(Found::Data(range)) => Event::Data(part(input, range)),
            Ok(Found::Entry(pending)) => Event::Entry(self.entry(&pending, input)),
            Err(error) => {
                self.state = State::Failed(error.clone());
                return Err(error);
            }
        };
        Ok(Step { consumed, event })
    }

    /// Fails as the tar goes on behind its limit.
    pub(super) fn too_long(&mut self) -> Error {
        let most = self.options.limits.max_bytes;
        let over = OverLimit::new(Limit::Bytes, most.saturating_add(1), most);
        let error = Error::new(most, &[], over.into());
        self.state = State::Failed(error.clone());
        error
    }

    fn advance(&mut self, input: &[u8], at: &mut usize) -> Result<Found, Error> {
        if core::mem::take(&mut self.emitted) {
            self.local.clear();
        }
        loop {
            let rest = from(input, *at);
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
                    *part = part.saturating_sub(n as u64);
                    let deliver = of_body && *deliver == Deliver::Yes;
                    let start = *at;
                    self.take(n, at);
                    if deliver {
                        return Ok(Found::Data(start..*at));
                    }
                }
                State::Claimed { .. } => self.claimed(rest, at)?,
                State::End => {
                    // Two blocks of zeros and no entry before them: with more zeros an empty
                    // archive, with anything else no archive at all.
                    if self.nothing && rest.iter().any(|&byte| byte != 0) {
                        let zeros = rest.iter().take_while(|&&byte| byte == 0).count() as u64;
                        let at = self.position.saturating_add(zeros);
                        return Err(Error::new(at, &[], ErrorKind::NoEntries));
                    }
                    self.totals.trailing = self.totals.trailing.saturating_add(rest.len() as u64);
                    self.take(rest.len(), at);
                }
                &mut State::Extension { kind, offset, left, padding } => {
                    let n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    self.take(n, at);
                    let whole = n as u64 == left;
                    let result = if whole && self.extension.is_empty() {
                        self.extend(kind, first(rest, n))
                    } else {
                        self.extension.extend_from_slice(first(rest, n));
                        if !whole {
                            let left = left.saturating_sub(n as u64);
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
                    let block = match (source, rest.first_chunk()) {
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

    pub(super) fn take(&mut self, n: usize, at: &mut usize) {
        *at = at.saturating_add(n);
        self.position = self.position.saturating_add(n as u64);
    }

    /// Takes a block: where it lies whole in the input, without touching it.
    pub(super) fn take_block(&mut self, rest: &[u8], at: &mut usize) -> Option<Source> {
        if self.filled == 0 && rest.len() >= BLOCK {
            self.take(BLOCK, at);
            return Some(Source::Input);
        }
        let room = self.block.get_mut(self.filled..).unwrap_or_default();
        let n = rest.len().min(room.len());
        for (byte, from) in room.iter_mut().zip(rest) {
            *byte = *from;
        }
        self.filled = self.filled.saturating_add(n);
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
        let offset = self.position.saturating_sub(BLOCK as u64);
        let fail = |kind| Error::new(offset, &[], kind);
        match verify(block) {
            Verdict::Zero if self.zero_block => {
                self.local.clear();
                self.nothing = offset == BLOCK as u64;
                self.state = self.behind_the_end();
                return Ok(None);
            }
            Verdict::Zero => {
                self.zero_block = true;
                return Ok(None);
            }
            _ if self.zero_block => {
                return Err(Error::new(
                    offset.saturating_sub(BLOCK as u64),
                    &[],
                    ErrorKind::LoneZeroBlock,
                ));
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
                self.totals.skipped_labels = self.totals.skipped_labels.saturating_add(1);
                let size = own_size(header).map_err(fail)?;
                self.pass_over(offset, part(block, header.name()), size)?;
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
        let within = self.options.limits.check(Limit::ExtensionBytes, total);
        within.map_err(|over| fail(over.into()))?;
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
