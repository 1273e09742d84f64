//! Armv8: the digest of a stream, and along with it those of the blocks that it consists of.
//!
//! As with SHA-NI: the blocks' rounds fill the waits of the stream's, with the same message
//! schedule.

use core::arch::aarch64::{uint32x4_t, vaddq_u32, vsha256su0q_u32, vsha256su1q_u32};

use super::super::super::message::Piece;
use super::super::super::sha256::{K, State};
use super::{load, quad, store, words};

/// The working variables a to d, and e to h.
type Halves = [uint32x4_t; 2];

/// Takes the pieces of whole blocks, as many as there are digests. `stream` is the state of the
/// stream; each block begins with the state `start`, and ends with the piece whose schedule
/// `padding` is.
#[target_feature(enable = "neon,sha2")]
pub(in super::super) fn along(
    stream: &mut State,
    start: &State,
    padding: &[u32; 64],
    pieces: &[Piece],
    digests: &mut [[u8; 32]],
) {
    let (mut chain, start) = (halves(stream), halves(start));
    let per_block = pieces.len() / digests.len().max(1);
    for (block, digest) in pieces.chunks_exact(per_block.max(1)).zip(digests) {
        let mut own = start;
        block.iter().for_each(|piece| compress(&mut chain, &mut own, piece));
        let old = own;
        padding.as_chunks::<4>().0.iter().for_each(|kw| quad(&mut own, words(kw)));
        add(&mut own, &old);
        store(own, digest);
    }
    let mut bytes = [0; 32];
    store(chain, &mut bytes);
    for (word, bytes) in stream.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_be_bytes(*bytes);
    }
}

/// Compresses a piece into two states.
#[target_feature(enable = "neon,sha2")]
#[inline]
#[allow(unused_assignments, reason = "in quads that do not extend the schedule")]
fn compress(chain: &mut Halves, own: &mut Halves, piece: &Piece) {
    let old = (*chain, *own);
    let mut w = load(piece);
    macro_rules! quads {
        ($($g:literal)*) => {$(
            let now = w[$g % 4];
            let kw = vaddq_u32(now, words(&K.as_chunks::<4>().0[$g]));
            quad(chain, kw);
            quad(own, kw);
            if $g < 12 {
                let next = vsha256su0q_u32(now, w[($g + 1) % 4]);
                w[$g % 4] = vsha256su1q_u32(next, w[($g + 2) % 4], w[($g + 3) % 4]);
            }
        )*};
    }
    quads!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    add(chain, &old.0);
    add(own, &old.1);
}

#[target_feature(enable = "neon,sha2")]
#[inline]
fn add(state: &mut Halves, old: &Halves) {
    *state = [vaddq_u32(state[0], old[0]), vaddq_u32(state[1], old[1])];
}

#[target_feature(enable = "neon,sha2")]
#[inline]
fn halves(state: &State) -> Halves {
    let [abcd, efgh] = state.as_chunks().0 else { unreachable!("eight words") };
    [words(abcd), words(efgh)]
}
