//! AVX-512: sixteen messages, one in each 32-bit lane.
//!
//! Rotations and three-operand logic are single instructions here, and a piece of a message is
//! just one register. Where 512-bit units are whole (Zen 5, Intel servers) this leaves the SHA
//! instructions behind.
//!
//! # References
//! FIPS 180-4, section 6.2.2; Gueron and Krasnov, "Simultaneous Hashing of Multiple Messages".
#![allow(unsafe_code)]

use core::arch::asm;
use core::arch::x86_64::{
    __m512i, _mm_set_epi64x, _mm256_setzero_si256, _mm256_storeu_si256, _mm512_add_epi32,
    _mm512_broadcast_i32x4, _mm512_castsi512_si256, _mm512_extracti64x4_epi64, _mm512_loadu_si512,
    _mm512_ror_epi32, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8,
    _mm512_shuffle_i32x4, _mm512_srli_epi32, _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use super::super::message::{Message, Piece, Runs};
use super::super::sha256::K;
use super::avx2;
use super::prefetch::prefetch;

/// Messages hashed together.
pub(super) const LANES: usize = 16;

type Words = [__m512i; 8];

/// Hashes sixteen messages side by side. Digest `i` is that of the pieces of lane `i`.
#[target_feature(enable = "avx512f,avx512bw,avx2")]
pub(super) fn hash(message: &Message, runs: &Runs<'_, LANES>, digests: &mut [[u8; 32]; LANES]) {
    let mut state: Words = [_mm512_setzero_si512(); 8];
    for (words, word) in state.iter_mut().zip(message.start) {
        *words = _mm512_set1_epi32(word.cast_signed());
    }
    for lanes in runs {
        for p in 0..lanes[0].len() {
            compress(&mut state, lanes, p, LANES * message.block);
        }
    }
    if let Some(schedule) = &message.padding {
        compress_ready(&mut state, schedule);
    }
    store(&state, digests);
}

/// Compresses piece `p` of each lane. `ahead` is the distance in bytes to what will be hashed
/// after this group.
#[target_feature(enable = "avx512f,avx512bw,avx2")]
#[inline]
fn compress(state: &mut Words, lanes: &[&[Piece]; LANES], p: usize, ahead: usize) {
    let mut w = [_mm512_setzero_si512(); 16];
    for (row, lane) in w.iter_mut().zip(lanes) {
        let piece = &lane[p];
        // SAFETY: `piece` is a reference to 64 readable bytes; the load needs no alignment.
        *row = swap(unsafe { _mm512_loadu_si512(piece.as_ptr().cast()) });
        prefetch(piece, ahead);
    }
    w = transpose(w);
    let old = *state;
    let mut working = *state;
    macro_rules! rounds {
        ($k:expr, $schedule:literal: $($t:literal)*) => {$(
            if $schedule {
                let (w15, w2) = (w[($t + 1) % 16], w[($t + 14) % 16]);
                let (ror7, ror18) = (_mm512_ror_epi32::<7>(w15), _mm512_ror_epi32::<18>(w15));
                let s0 = xor3(ror7, ror18, _mm512_srli_epi32::<3>(w15));
                let (ror17, ror19) = (_mm512_ror_epi32::<17>(w2), _mm512_ror_epi32::<19>(w2));
                let s1 = xor3(ror17, ror19, _mm512_srli_epi32::<10>(w2));
                let sum = _mm512_add_epi32(_mm512_add_epi32(w[$t], s0), w[($t + 9) % 16]);
                w[$t] = _mm512_add_epi32(sum, s1);
            }
            let k = _mm512_set1_epi32($k[$t].cast_signed());
            round(&mut working, _mm512_add_epi32(w[$t], k));
        )*};
    }
    let [first, others @ ..] = K.as_chunks::<16>().0 else { unreachable!() };
    rounds!(first, false: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    for k in others {
        rounds!(k, true: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    }
    add(state, &old, &working);
}

/// Compresses a piece that all lanes share, from its ready schedule.
#[target_feature(enable = "avx512f")]
#[inline]
fn compress_ready(state: &mut Words, schedule: &[u32; 64]) {
    let (old, mut working) = (*state, *state);
    for words in schedule.as_chunks::<8>().0 {
        for word in words {
            round(&mut working, _mm512_set1_epi32(word.cast_signed()));
        }
    }
    add(state, &old, &working);
}

#[target_feature(enable = "avx512f")]
#[inline]
fn round(working: &mut Words, kw: __m512i) {
    /// `e ? f : g`, bit by bit.
    const CHOOSE: i32 = 0xca;
    /// What two of three bits are.
    const MAJORITY: i32 = 0xe8;
    let [a, b, c, d, e, f, g, h] = *working;
    let s1 = xor3(_mm512_ror_epi32::<6>(e), _mm512_ror_epi32::<11>(e), _mm512_ror_epi32::<25>(e));
    let choose = _mm512_ternarylogic_epi32::<CHOOSE>(e, f, g);
    let s0 = xor3(_mm512_ror_epi32::<2>(a), _mm512_ror_epi32::<13>(a), _mm512_ror_epi32::<22>(a));
    let majority = _mm512_ternarylogic_epi32::<MAJORITY>(a, b, c);
    // Seven additions, what comes late last: two behind the rotations of e, of which sixteen lanes
    // hide the second.
    let t1 = sum(sum(sum(h, kw), choose), s1);
    let (new_e, new_a) = (sum(d, t1), sum(sum(s0, majority), t1));
    *working = [new_a, a, b, c, new_e, e, f, g];
}

/// `_mm512_add_epi32`, but in the order that the source has: LLVM sorts the terms of a sum anew,
/// and puts the wrong ones last, which makes a round twice as long.
#[target_feature(enable = "avx512f")]
#[inline]
fn sum(a: __m512i, b: __m512i) -> __m512i {
    let out;
    // SAFETY: the instruction is AVX-512F's, reads and writes the named registers only, and
    // touches neither memory, stack nor flags.
    unsafe {
        asm!(
            "vpaddd {out}, {a}, {b}",
            out = lateout(zmm_reg) out,
            a = in(zmm_reg) a,
            b = in(zmm_reg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    out
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add(state: &mut Words, old: &Words, working: &Words) {
    for i in 0..8 {
        state[i] = _mm512_add_epi32(old[i], working[i]);
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

/// Swaps the bytes of each word.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn swap(words: __m512i) -> __m512i {
    let order = _mm_set_epi64x(0x0c0d0e0f_08090a0b, 0x04050607_00010203);
    _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order))
}

/// Turns sixteen rows of sixteen words into sixteen columns.
#[target_feature(enable = "avx512f")]
#[inline]
fn transpose(mut r: [__m512i; 16]) -> [__m512i; 16] {
    // Within each 128-bit quarter of four rows at a time.
    for rows in r.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *rows;
        let (ab_low, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (cd_low, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        *rows = [
            _mm512_unpacklo_epi64(ab_low, cd_low),
            _mm512_unpackhi_epi64(ab_low, cd_low),
            _mm512_unpacklo_epi64(ab_high, cd_high),
            _mm512_unpackhi_epi64(ab_high, cd_high),
        ];
    }
    // Then the quarters.
    for i in 0..4 {
        let (a, b, c, d) = (r[i], r[i + 4], r[i + 8], r[i + 12]);
        let (ab_low, ab_high) =
            (_mm512_shuffle_i32x4::<0x44>(a, b), _mm512_shuffle_i32x4::<0xee>(a, b));
        let (cd_low, cd_high) =
            (_mm512_shuffle_i32x4::<0x44>(c, d), _mm512_shuffle_i32x4::<0xee>(c, d));
        r[i] = _mm512_shuffle_i32x4::<0x88>(ab_low, cd_low);
        r[i + 4] = _mm512_shuffle_i32x4::<0xdd>(ab_low, cd_low);
        r[i + 8] = _mm512_shuffle_i32x4::<0x88>(ab_high, cd_high);
        r[i + 12] = _mm512_shuffle_i32x4::<0xdd>(ab_high, cd_high);
    }
    r
}

#[target_feature(enable = "avx512f,avx2")]
#[inline]
fn store(state: &Words, digests: &mut [[u8; 32]; LANES]) {
    let mut halves = [[_mm256_setzero_si256(); 8]; 2];
    for (i, &words) in state.iter().enumerate() {
        halves[0][i] = _mm512_castsi512_si256(words);
        halves[1][i] = _mm512_extracti64x4_epi64::<1>(words);
    }
    for (half, digests) in halves.into_iter().zip(digests.as_chunks_mut::<8>().0) {
        for (words, digest) in avx2::transpose(half).into_iter().zip(digests) {
            // SAFETY: `digest` is 32 writable bytes; the store needs no alignment.
            unsafe { _mm256_storeu_si256(digest.as_mut_ptr().cast(), avx2::swap(words)) };
        }
    }
}
