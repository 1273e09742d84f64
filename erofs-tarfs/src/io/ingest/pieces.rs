//! A stream cut into pieces that several threads share.

use crate::io::Buffer;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use std::io::{ErrorKind, Read, Result};

/// Bytes that go through all stages before the next ones do.
pub(super) const PIECE: usize = 256 << 10;

/// Some bytes of the tar.
pub(super) struct Piece {
    room: Buffer,
    len: usize,
}

impl Piece {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.room[..self.len]
    }

    /// Reads a whole piece, less at the end only.
    fn fill(&mut self, reader: &mut impl Read) -> Result<()> {
        self.len = 0;
        while self.len < PIECE {
            match reader.read(&mut self.room[self.len..]) {
                Ok(0) => break,
                Ok(more) => self.len += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Pieces, of which those that are not in use any more are filled again.
#[derive(Default)]
pub(super) struct Pool(VecDeque<Arc<Piece>>);

impl Pool {
    /// Reads the next piece; an empty one is the end.
    pub(super) fn read(&mut self, reader: &mut impl Read) -> Result<Arc<Piece>> {
        // Handed out in order, they come back in order.
        let free = match self.0.front().map(Arc::strong_count) {
            Some(1) => self.0.pop_front().and_then(Arc::into_inner),
            _ => None,
        };
        let mut piece = free.unwrap_or_else(|| Piece { room: Buffer::new(PIECE), len: 0 });
        piece.fill(reader)?;
        let piece = Arc::new(piece);
        self.0.push_back(Arc::clone(&piece));
        Ok(piece)
    }
}
