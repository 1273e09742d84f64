//! The end of a stream: what it came to, and whether it is whole.

use super::header::{BLOCK, IN_BLOCK};
use super::parser::{Parser, State};
use super::part::first;
use super::{Compression, End, EndMarker, Error, ErrorKind, Part};

impl Parser {
    /// Ends the stream, and answers how many entries and bytes it had and how it ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] if it ends in a header, a body, or between an extension header
    /// and its entry; what [`ParseOptions::strict`](super::ParseOptions::strict) and
    /// [`ParseOptions::refuse_partial_last_block`](super::ParseOptions::refuse_partial_last_block) refuse;
    /// the error of an earlier push.
    pub fn finish(&mut self) -> Result<End, Error> {
        let result = self.end();
        if let Err(error) = &result {
            self.state = State::Failed(error.clone());
        }
        result
    }

    fn end(&self) -> Result<End, Error> {
        let at = self.position;
        let cut = |part, missing| ErrorKind::Truncated { part, missing };
        let rest_of_block = BLOCK.saturating_sub(self.filled) as u64;
        let mut end = End { bytes: at, ..self.totals };
        match &self.state {
            State::Failed(error) => return Err(error.clone()),
            State::End | State::Claimed { .. } => end.marker = EndMarker::TwoBlocks,
            State::Header => {
                let begun = first(&self.block, self.filled);
                let start = at.saturating_sub(self.filled as u64);
                if begun.iter().any(|&b| b != 0) {
                    let kind = self.compressed(start, begun);
                    let kind = kind.unwrap_or_else(|| cut(Part::Header, rest_of_block));
                    return Err(Error::new(start, &[], kind));
                }
                if self.zero_block {
                    end.marker = EndMarker::OneBlock;
                }
            }
            State::Extension { offset, left, .. } => {
                return Err(Error::new(*offset, &[], cut(Part::Extension, *left)));
            }
            State::SparseBlocks(pending) | State::SparseMap(pending, _) => {
                let path = self.resolve(pending.path, &self.header);
                return Err(Error::new(pending.offset, path, cut(Part::SparseMap, rest_of_block)));
            }
            State::Body { left: 0, .. } => {}
            State::Body { left, .. } => {
                let kind = cut(Part::Body, *left);
                return Err(Error::new(self.entry_offset, &self.body_path, kind));
            }
        }
        if self.local.used && !self.emitted && end.marker != EndMarker::TwoBlocks {
            return Err(Error::new(at, &[], cut(Part::Entry, rest_of_block)));
        }
        if self.options.strict && end.marker != EndMarker::TwoBlocks {
            return Err(Error::new(at, &[], ErrorKind::NoEndMarker(end.marker)));
        }
        if self.options.refuse_partial_last_block && !end.is_whole_blocks() {
            let bytes = (at & IN_BLOCK) as u32;
            let start = at.saturating_sub(bytes.into());
            return Err(Error::new(start, &[], ErrorKind::PartialLastBlock { bytes }));
        }
        Ok(end)
    }

    /// The compression that a stream which is no tar has.
    pub(super) fn compressed(&self, offset: u64, bytes: &[u8]) -> Option<ErrorKind> {
        let found = Compression::detect(bytes).filter(|_| offset == 0)?;
        Some(ErrorKind::Compressed(found))
    }
}
