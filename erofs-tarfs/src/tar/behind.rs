//! What is behind an end marker that lies in the bytes which a link states.
//!
//! POSIX allows a hard link in a pax archive to have its file's bytes behind it. GNU tar and Go, and so
//! containerd, read none, whatever is stated, as many writers state a size and write no bytes: we do the same.
//! If bytes are there all the same, the first block of them is no header, which is an error; but where it is
//! zeros, or the file is a tar, the archive seems to end in them, and what is behind would be lost. So where the
//! end marker lies in the bytes that were stated, the block behind these must not be a header.
//!
//! ```text
//! ┌─────────────┬─ - - - - - - - - - - - - - - - - ─┬────────┬───
//! │ link,       │ 0 0 0 … the end, as GNU tar and   │ header │ …    an entry that they never show:
//! │ size 40,000 │ Go have it                        │        │      an error
//! └─────────────┴─ - - - - - - - - - - - - - - - - ─┴────────┴───
//! ```

use super::Error;
use super::header::{BLOCK, Verdict, verify};
use super::parser::{Parser, State};
use super::pending::{Name, Source};

impl Parser {
    /// Notes what an entry without a body states, whose header at `offset` ends at the parser's position.
    #[inline]
    pub(super) fn claims(&mut self, offset: u64, size: u64, path: Name, header: &[u8; BLOCK]) {
        if size == 0 {
            return;
        }
        self.totals.count_ignored();
        let mut claim = core::mem::take(&mut self.claim);
        claim.note(offset, self.position, size, self.resolve(path, header));
        self.claim = claim;
    }

    /// What comes next where the end marker ends at the parser's position.
    pub(super) fn behind_the_end(&self) -> State {
        self.claim.left(self.position).map_or(State::End, |left| State::Claimed { left })
    }

    /// Takes what was stated, and the block behind it.
    pub(super) fn claimed(&mut self, rest: &[u8], at: &mut usize) -> Result<(), Error> {
        let State::Claimed { left } = &mut self.state else { return Ok(()) };
        let start = *at;
        let mut block = None;
        if *left > 0 {
            let n = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
            *left = left.saturating_sub(n as u64);
            self.take(n, at);
        } else if let Some(source) = self.take_block(rest, at) {
            block = match source {
                Source::Input => rest.first_chunk().copied(),
                Source::Kept => Some(self.block),
            };
            self.state = State::End;
        }
        let taken = at.saturating_sub(start) as u64;
        self.totals.trailing = self.totals.trailing.saturating_add(taken);
        match block {
            Some(block) if verify(&block) == Verdict::Sound => Err(self.claim.error()),
            _ => Ok(()),
        }
    }

    /// Follows a caller who jumps over `n` bytes behind the end marker.
    pub(super) fn skip_claimed(&mut self, n: u64) {
        let State::Claimed { left } = &mut self.state else { return };
        match left.checked_sub(n) {
            Some(rest) if self.filled == 0 => *left = rest,
            _ if n == 0 => {}
            _ => {
                self.filled = 0;
                self.state = State::End;
            }
        }
    }
}
