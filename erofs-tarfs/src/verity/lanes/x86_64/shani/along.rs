//! SHA-NI: the digest of a stream, and along with it those of the blocks that it consists of.
//!
//! The digest of a stream is one long chain: each `sha256rnds2` waits for the one before. What
//! hashes the blocks fits into these waits, and its message schedule is there already: the words
//! are the same, if the salt is whole pieces. So both cost hardly more than the stream's alone.
//!
//! The piece that pads a block is compressed along with the first one of the next block.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32,
    _mm_sha256rnds2_epu32, _mm_shuffle_epi32,
};

use super::super::super::message::Piece;
use super::super::super::sha256::{K, State};
use super::{load, pack, unpack, word_quad};

/// Half a state, the other half.
type Halves = (__m128i, __m128i);

/// Takes the pieces of whole blocks, as many as there are digests. `stream` is the state of the
/// stream; each block begins with the state `start`, and ends with the piece whose schedule
/// `padding` is.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
pub(in super::super) fn along(
    stream: &mut State,
    start: &State,
    padding: &[u32; 64],
    pieces: &[Piece],
    digests: &mut [[u8; 32]],
) {
    let start = pack(start);
    let mut chain = pack(stream);
    let mut padded = None;
    let per_block = pieces.len() / digests.len().max(1);
    for (block, digest) in pieces.chunks_exact(per_block.max(1)).zip(digests) {
        let mut own = start;
        #[expect(
            clippy::expect_used,
            reason = "the chunks are of one piece at least, and none is empty"
        )]
        let (first, others) = block.split_first().expect("a block is some pieces");
        if let Some((last, digest)) = padded.take() {
            let mut last: Halves = last;
            compress(&mut chain, &mut own, first, Some((&mut last, padding)));
            unpack(last.0, last.1, digest);
        } else {
            compress(&mut chain, &mut own, first, None);
        }
        for piece in others {
            compress(&mut chain, &mut own, piece, None);
        }
        padded = Some((own, digest));
    }
    if let Some((mut last, digest)) = padded {
        pad(&mut last, padding);
        unpack(last.0, last.1, digest);
    }
    let mut bytes = [0; 32];
    unpack(chain.0, chain.1, &mut bytes);
    for (word, bytes) in stream.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_be_bytes(*bytes);
    }
}

/// Compresses a piece into two states, and the one whose schedule is given into a third.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
#[inline]
#[allow(unused_assignments, reason = "in quads that do not extend the schedule")]
fn compress(
    chain: &mut Halves,
    own: &mut Halves,
    piece: &Piece,
    mut last: Option<(&mut Halves, &[u32; 64])>,
) {
    let old = (*chain, *own);
    let old_last = last.as_ref().map(|(last, _)| **last);
    let mut w = [old.0.0; 4];
    macro_rules! quad {
        ($($g:literal)*) => {$(
            let (now, next, before) = ($g % 4, ($g + 1) % 4, ($g + 3) % 4);
            if $g < 4 {
                w[now] = load(piece, $g);
            }
            let kw = _mm_add_epi32(w[now], word_quad(&K, $g));
            chain.1 = _mm_sha256rnds2_epu32(chain.1, chain.0, kw);
            own.1 = _mm_sha256rnds2_epu32(own.1, own.0, kw);
            let kw = _mm_shuffle_epi32::<0x0e>(kw);
            chain.0 = _mm_sha256rnds2_epu32(chain.0, chain.1, kw);
            own.0 = _mm_sha256rnds2_epu32(own.0, own.1, kw);
            if let Some((last, schedule)) = &mut last {
                let kw = word_quad(schedule, $g);
                last.1 = _mm_sha256rnds2_epu32(last.1, last.0, kw);
                let kw = _mm_shuffle_epi32::<0x0e>(kw);
                last.0 = _mm_sha256rnds2_epu32(last.0, last.1, kw);
            }
            if $g >= 3 && $g < 15 {
                let w7 = _mm_alignr_epi8::<4>(w[now], w[before]);
                let sum = _mm_add_epi32(w[next], w7);
                w[next] = _mm_sha256msg2_epu32(sum, w[now]);
            }
            if $g >= 1 && $g < 13 {
                w[before] = _mm_sha256msg1_epu32(w[before], w[now]);
            }
        )*};
    }
    quad!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    add(chain, &old.0);
    add(own, &old.1);
    if let (Some((last, _)), Some(old)) = (last, &old_last) {
        add(last, old);
    }
}

/// Compresses a piece from its ready schedule.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
#[inline]
fn pad(state: &mut Halves, schedule: &[u32; 64]) {
    let old = *state;
    for g in 0..16 {
        let kw = word_quad(schedule, g);
        state.1 = _mm_sha256rnds2_epu32(state.1, state.0, kw);
        state.0 = _mm_sha256rnds2_epu32(state.0, state.1, _mm_shuffle_epi32::<0x0e>(kw));
    }
    add(state, &old);
}

#[target_feature(enable = "sse2")]
#[inline]
fn add(state: &mut Halves, old: &Halves) {
    *state = (_mm_add_epi32(state.0, old.0), _mm_add_epi32(state.1, old.1));
}
