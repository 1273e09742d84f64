//! What all messages of a run have in common: salt, block length, padding.

use super::sha256::{self, BLOCK, INITIAL, State};

/// The message `salt || block || padding` cut at multiples of 64 bytes.
///
/// Whole 64-byte pieces of the salt are hashed here once. What is left of it, `rest` bytes, goes
/// with the beginning of the block in a first piece of its own; then follow pieces of the block as
/// it lies in memory; its last `rest` bytes go with the padding in one or two pieces.
pub(super) struct Message {
    /// The state after the whole pieces of the salt.
    pub(super) start: State,
    /// Bytes of the salt in the first piece; 0 if there is no such piece.
    pub(super) rest: usize,
    /// The first piece, the salt's rest at its beginning.
    pub(super) head: [u8; BLOCK],
    /// The last pieces, the padding behind `rest` bytes.
    pub(super) tail: [u8; 2 * BLOCK],
    /// How many last pieces: 1 or 2.
    pub(super) tail_pieces: usize,
    /// The schedule of the last piece if it is padding only (`rest` is 0).
    pub(super) padding: Option<[u32; 64]>,
    /// Bytes of a data or hash block: a multiple of 64.
    pub(super) block: usize,
}

impl Message {
    pub(super) fn new(salt: &[u8], block: usize) -> Self {
        debug_assert!(block.is_multiple_of(BLOCK) && block > 0);
        let (pieces, salt_rest) = salt.as_chunks();
        let mut start = INITIAL;
        pieces.iter().for_each(|piece| sha256::compress(&mut start, piece));
        let rest = salt_rest.len();
        let mut head = [0; BLOCK];
        head[..rest].copy_from_slice(salt_rest);
        let tail_pieces = if rest + 9 <= BLOCK { 1 } else { 2 };
        let mut tail = [0; 2 * BLOCK];
        tail[rest] = 0x80;
        let bits = (salt.len() + block) as u64 * 8;
        tail[tail_pieces * BLOCK - 8..tail_pieces * BLOCK].copy_from_slice(&bits.to_be_bytes());
        let padding = (rest == 0).then(|| sha256::schedule(tail.first_chunk().expect("64 of 128")));
        Self { start, rest, head, tail, tail_pieces, padding, block }
    }

    /// How many bytes of the block go into the first piece.
    pub(super) fn head_len(&self) -> usize {
        (BLOCK - self.rest) % BLOCK
    }

    /// The first piece of `block`, if there is one apart.
    pub(super) fn head(&self, block: &[u8]) -> [u8; BLOCK] {
        let mut head = self.head;
        head[self.rest..].copy_from_slice(&block[..BLOCK - self.rest]);
        head
    }

    /// The last pieces of `block`, of which [`Message::tail_pieces`] count.
    pub(super) fn tail(&self, block: &[u8]) -> [u8; 2 * BLOCK] {
        let mut tail = self.tail;
        tail[..self.rest].copy_from_slice(&block[block.len() - self.rest..]);
        tail
    }
}
