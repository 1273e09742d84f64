//! SHA-NI rounds woven with AVX-512VL message schedules: eight messages.
//!
//! The SHA instructions are two thirds rounds, which only one unit has, and one third message
//! schedule, which plain vector instructions can do as well: with AVX-512VL's rotations eight
//! messages' schedules cost less than the units beside the rounds have free. So while eight pieces
//! are compressed, four and four, the schedules of the next eight are made, 30 % faster than with
//! `sha256msg1` and `sha256msg2` on Zen 4.
//!
//! On Intel's Xeons (Emerald Rapids) it is three hundred times slower than AVX-512 alone: the halves of
//! registers that SSE does not know are in use all the time, and each change between SSE and AVX is paid for.
//! So there is nothing to weave there, and what AVX-512 does is near its end: a round and its share of the
//! schedule are 25 operations of two units for sixteen messages, 1.2 bytes a cycle at the most, of which
//! 1.04 are measured.
//!
//! # References
//! FIPS 180-4, section 6.2.2; Intel SDM, "SHA256RNDS2".
#![allow(unsafe_code)]

use core::arch::asm;
use core::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi32, _mm_cvtsi64_si128, _mm256_add_epi32, _mm256_loadu_si256,
    _mm256_ror_epi32, _mm256_set1_epi32, _mm256_srli_epi32, _mm256_storeu_si256,
    _mm256_ternarylogic_epi32, _mm256_unpackhi_epi32, _mm256_unpacklo_epi32,
};
use core::mem;
use core::sync::atomic::{Ordering, compiler_fence};

use super::super::message::{Message, Piece, Runs, Scratch};
use super::super::sha256::{BLOCK, K};
use super::prefetch::prefetch;
use super::{avx2, shani};

/// Messages hashed together.
pub(super) const LANES: usize = 8;

/// A piece of each message.
type Pieces<'a> = [&'a Piece; LANES];

/// The states of the messages in the order of [`Ready`], as [`shani::pack`] makes them.
type States = [[__m128i; 2]; LANES];

/// Message schedules with the round constants added: of each two words those of all messages, in
/// the order that unpacking leaves them in, [`ORDER`].
#[repr(align(64))]
struct Ready([[u64; LANES]; 32]);

/// Which message is where.
const ORDER: [usize; LANES] = [0, 1, 4, 5, 2, 3, 6, 7];

/// Hashes blocks as they lie in `data`, one a digest. Lanes without a message of their own repeat
/// the last block: they cost as much as the others.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2,avx2,avx512f,avx512vl,avx512bw")]
pub(super) fn hash(message: &Message, data: &[u8], digests: &mut [[u8; 32]]) {
    let Some(last) = digests.len().checked_sub(1) else { return };
    let block = |i: usize| &data[i.min(last) * message.block..][..message.block];
    let blocks = |group: usize| core::array::from_fn(|l| block(group * LANES + l));
    // What is fetched early: the next group. Pieces that are 4096 apart would drive each other out
    // of the cache until then, so of longer messages it is what follows in each.
    let ahead = if message.block < 4096 { LANES * message.block } else { 2 * BLOCK };
    let padding = message.padding.as_ref().map(same_for_all);
    let (abef, cdgh) = shani::pack(&message.start);

    let mut scratch = Scratch::new(message);
    let mut runs = scratch.runs(&blocks(0));
    let mut now = &mut Ready([[0; LANES]; 32]);
    let mut next = &mut Ready([[0; LANES]; 32]);
    let mut states = [[abef, cdgh]; LANES];
    weave(&mut states, next, first(&runs), 0, ahead, now);
    for (group, digests) in digests.chunks_mut(LANES).enumerate() {
        states = [[abef, cdgh]; LANES];
        let mut done = 1;
        for lanes in &runs {
            for p in done.min(lanes[0].len())..lanes[0].len() {
                weave(&mut states, now, lanes, p, ahead, next);
                mem::swap(&mut now, &mut next);
            }
            done -= done.min(lanes[0].len());
        }
        // Nothing of this group is needed any more but its last schedules.
        runs = scratch.runs(&blocks(group + 1));
        match &padding {
            Some(padding) => {
                compress(&mut states, now);
                weave(&mut states, padding, first(&runs), 0, ahead, next);
            }
            None => weave(&mut states, now, first(&runs), 0, ahead, next),
        }
        mem::swap(&mut now, &mut next);
        for ([abef, cdgh], at) in states.into_iter().zip(ORDER) {
            if let Some(digest) = digests.get_mut(at) {
                shani::unpack(abef, cdgh, digest);
            }
        }
    }
}

/// The run that a message begins with.
fn first<'a, 'b>(runs: &'a Runs<'b, LANES>) -> &'a [&'b [Piece]; LANES] {
    runs.iter().find(|lanes| !lanes[0].is_empty()).unwrap_or(&runs[0])
}

fn same_for_all(schedule: &[u32; 64]) -> Ready {
    let pairs = schedule.as_chunks::<2>().0;
    Ready(core::array::from_fn(|i| {
        let [first, second] = pairs[i].map(u64::from);
        [first | second << 32; LANES]
    }))
}

/// Compresses the pieces whose schedules are `now`, and makes those of piece `p` of each lane.
/// `ahead` is the distance in bytes to what is to be in the cache soon.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2,avx2,avx512f,avx512vl,avx512bw")]
fn weave(
    states: &mut States,
    now: &Ready,
    lanes: &[&[Piece]; LANES],
    p: usize,
    ahead: usize,
    next: &mut Ready,
) {
    let pieces: &Pieces<'_> = &lanes.map(|lane| &lane[p]);
    for piece in pieces {
        prefetch(piece, ahead);
    }
    let mut w = [_mm256_set1_epi32(0); 16];
    w[..8].copy_from_slice(&words(pieces, 0));
    let (first, second) = states.split_at_mut(4);
    macro_rules! two_words {
        ($states:ident, $half:literal: $($i:literal)*) => {
            let mut working: [[__m128i; 2]; 4] = core::array::from_fn(|l| $states[l]);
            $(
                let pair = $i % 16 * 2;
                for (l, [abef, cdgh]) in working.iter_mut().enumerate() {
                    *cdgh = rounds(*cdgh, *abef, now.0[pair][$half * 4 + l]);
                }
                if $i == 3 {
                    w[8..].copy_from_slice(&words(pieces, 1));
                }
                if $i >= 8 {
                    w[$i * 2 % 16] = extend(&w, $i * 2);
                }
                for (l, [abef, cdgh]) in working.iter_mut().enumerate() {
                    *abef = rounds(*abef, *cdgh, now.0[pair + 1][$half * 4 + l]);
                }
                if $i >= 8 {
                    w[($i * 2 + 1) % 16] = extend(&w, $i * 2 + 1);
                }
                put(&mut next.0[$i], &w, $i * 2);
                compiler_fence(Ordering::SeqCst);
            )*
            add($states, &working);
        };
    }
    two_words!(first, 0: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    two_words!(second, 1: 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
}

/// Compresses the pieces whose schedules are `now`.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
fn compress(states: &mut States, now: &Ready) {
    for (half, states) in states.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let mut working = *states;
        for pairs in now.0.as_chunks::<2>().0 {
            for (l, [abef, cdgh]) in working.iter_mut().enumerate() {
                *cdgh = rounds(*cdgh, *abef, pairs[0][half * 4 + l]);
            }
            for (l, [abef, cdgh]) in working.iter_mut().enumerate() {
                *abef = rounds(*abef, *cdgh, pairs[1][half * 4 + l]);
            }
        }
        add(states, &working);
    }
}

/// `_mm_sha256rnds2_epu32`, two rounds, in the order that the source has.
///
/// LLVM would part again what is woven here, all rounds from all schedules. So this and [`sum`] are
/// not declared `pure`: such statements stay in order. The fence keeps loads and stores beside them.
#[target_feature(enable = "sha,sse2")]
#[inline]
fn rounds(mut old: __m128i, other: __m128i, kw: u64) -> __m128i {
    // SAFETY: the instruction is of SHA, reads and writes the named registers only, and touches
    // neither memory, stack nor flags. It reaches the lower sixteen only, which `xmm_reg` are.
    unsafe {
        asm!(
            "sha256rnds2 {old}, {other}",
            old = inout(xmm_reg) old,
            other = in(xmm_reg) other,
            in("xmm0") _mm_cvtsi64_si128(kw.cast_signed()),
            options(nomem, nostack, preserves_flags),
        );
    }
    old
}

/// `_mm256_add_epi32`, in the order that the source has.
#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn sum(a: __m256i, b: __m256i) -> __m256i {
    let out;
    // SAFETY: the instruction is AVX-512VL's, reads and writes the named registers only, and
    // touches neither memory, stack nor flags.
    unsafe {
        asm!(
            "vpaddd {out:y}, {a:y}, {b:y}",
            out = lateout(zmm_reg) out,
            a = in(zmm_reg) a,
            b = in(zmm_reg) b,
            options(nomem, nostack, preserves_flags),
        );
    }
    out
}

#[target_feature(enable = "sse2")]
#[inline]
fn add(states: &mut [[__m128i; 2]], working: &[[__m128i; 2]; 4]) {
    for (state, working) in states.iter_mut().zip(working) {
        *state = core::array::from_fn(|i| _mm_add_epi32(state[i], working[i]));
    }
}

/// Eight words of each piece, the first or the second: word by word, those of all pieces in a
/// register.
#[target_feature(enable = "avx2")]
#[inline]
fn words(pieces: &Pieces<'_>, half: usize) -> [__m256i; 8] {
    let mut rows = [_mm256_set1_epi32(0); 8];
    for (row, piece) in rows.iter_mut().zip(pieces) {
        let bytes = &piece.as_chunks::<32>().0[half];
        // SAFETY: `bytes` is a reference to 32 readable bytes; the load needs no alignment.
        *row = avx2::swap(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) });
    }
    avx2::transpose(rows)
}

/// Word `t` of the schedules, from the sixteen before.
#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn extend(w: &[__m256i; 16], t: usize) -> __m256i {
    let (w15, w2) = (w[(t + 1) % 16], w[(t + 14) % 16]);
    let s0 =
        xor3(_mm256_ror_epi32::<7>(w15), _mm256_ror_epi32::<18>(w15), _mm256_srli_epi32::<3>(w15));
    let s1 =
        xor3(_mm256_ror_epi32::<17>(w2), _mm256_ror_epi32::<19>(w2), _mm256_srli_epi32::<10>(w2));
    let sum = _mm256_add_epi32(w[t % 16], w[(t + 9) % 16]);
    self::sum(_mm256_add_epi32(sum, s0), s1)
}

/// Words `t` and `t + 1` with their constants, for the rounds.
#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn put(pairs: &mut [u64; LANES], w: &[__m256i; 16], t: usize) {
    let first = _mm256_add_epi32(w[t % 16], _mm256_set1_epi32(K[t].cast_signed()));
    let second = _mm256_add_epi32(w[(t + 1) % 16], _mm256_set1_epi32(K[t + 1].cast_signed()));
    let (low, high) = pairs.split_at_mut(4);
    // SAFETY: `low` and `high` are 32 writable bytes each; the stores need no alignment.
    unsafe {
        _mm256_storeu_si256(low.as_mut_ptr().cast(), _mm256_unpacklo_epi32(first, second));
        _mm256_storeu_si256(high.as_mut_ptr().cast(), _mm256_unpackhi_epi32(first, second));
    }
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_ternarylogic_epi32::<0x96>(a, b, c)
}
