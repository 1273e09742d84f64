//! What all messages of a run have in common, and how one group of them is cut up.

use super::sha256::{self, BLOCK, INITIAL, State};

/// A message's piece: what one compression takes.
pub(super) type Piece = [u8; BLOCK];

/// The message `salt || block || padding` cut at multiples of 64 bytes.
///
/// Whole 64-byte pieces of the salt are hashed here once. What is left of it, `rest` bytes, goes
/// with the beginning of the block in a first piece of its own; then follow pieces of the block as
/// it lies in memory; its last `rest` bytes go with the padding in one or two pieces.
pub(super) struct Message {
    /// The state after the whole pieces of the salt.
    pub(super) start: State,
    /// The schedule of the last piece if it is padding only.
    pub(super) padding: Option<[u32; 64]>,
    /// Bytes of a data or hash block: a multiple of 64.
    pub(super) block: usize,
    rest: usize,
    head: [u8; 2 * BLOCK],
    tail: [u8; 3 * BLOCK],
    tail_pieces: usize,
}

impl Message {
    pub(super) fn new(salt: &[u8], block: usize) -> Self {
        debug_assert!(block.is_multiple_of(BLOCK) && block > 0);
        let (pieces, salt_rest) = salt.as_chunks();
        let mut start = INITIAL;
        pieces.iter().for_each(|piece| sha256::compress(&mut start, piece));
        let rest = salt_rest.len();
        let mut head = [0; 2 * BLOCK];
        head[..rest].copy_from_slice(salt_rest);
        let tail_pieces = if rest + 9 <= BLOCK { 1 } else { 2 };
        let mut tail = [0; 3 * BLOCK];
        tail[BLOCK + rest] = 0x80;
        let bits = (salt.len() + block) as u64 * 8;
        let end = BLOCK * (1 + tail_pieces);
        tail[end - 8..end].copy_from_slice(&bits.to_be_bytes());
        let padding = (rest == 0).then(|| {
            #[expect(clippy::expect_used, reason = "of an array, by constants")]
            let piece = tail[BLOCK..].first_chunk().expect("64 of 128");
            sha256::schedule(piece)
        });
        Self { start, padding, block, rest, head, tail, tail_pieces }
    }
}

/// Room for the pieces of `N` blocks that do not lie in memory as they are hashed.
pub(super) struct Scratch<'a, const N: usize> {
    message: &'a Message,
    heads: [[u8; 2 * BLOCK]; N],
    tails: [[u8; 3 * BLOCK]; N],
}

/// The pieces of `N` messages in the order in which they are hashed: up to three runs, of which
/// each is equally long in all lanes.
pub(super) type Runs<'a, const N: usize> = [[&'a [Piece]; N]; 3];

impl<'a, const N: usize> Scratch<'a, N> {
    pub(super) fn new(message: &'a Message) -> Self {
        Self { message, heads: [message.head; N], tails: [message.tail; N] }
    }

    /// Cuts up `N` blocks. The last run is left out if it is the same for all, see
    /// [`Message::padding`].
    pub(super) fn runs<'b>(&'b mut self, blocks: &[&'b [u8]; N]) -> Runs<'b, N> {
        let rest = self.message.rest;
        let mut runs = [[&[][..]; N]; 3];
        if rest == 0 {
            runs[1] = core::array::from_fn(|l| blocks[l].as_chunks().0);
            return runs;
        }
        // 64 bytes are copied, more than needed, because a copy of constant length is fast. What is
        // copied too far lies outside of the pieces that are used; the salt in front and the
        // padding behind are not touched.
        for (head, block) in self.heads.iter_mut().zip(blocks) {
            head[rest..rest + BLOCK].copy_from_slice(&block[..BLOCK]);
        }
        for (tail, block) in self.tails.iter_mut().zip(blocks) {
            tail[rest..rest + BLOCK].copy_from_slice(&block[block.len() - BLOCK..]);
        }
        for l in 0..N {
            runs[0][l] = &self.heads[l].as_chunks().0[..1];
            runs[1][l] = blocks[l][BLOCK - rest..].as_chunks().0;
            runs[2][l] = &self.tails[l].as_chunks().0[1..1 + self.message.tail_pieces];
        }
        runs
    }
}
