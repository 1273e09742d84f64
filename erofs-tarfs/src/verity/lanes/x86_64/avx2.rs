//! AVX2 without SHA-NI: eight messages, one in each 32-bit lane.
//!
//! # References
//! FIPS 180-4, section 6.2.2; Gueron and Krasnov, "Simultaneous Hashing of Multiple Messages".
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_loadu_si256,
    _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set_epi64x, _mm256_set1_epi32,
    _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_storeu_si256,
    _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
    _mm256_xor_si256,
};

use super::super::message::{Message, Piece, Runs};
use super::super::sha256::K;

/// Messages hashed together.
pub(super) const LANES: usize = 8;

type Words = [__m256i; 8];

/// Hashes eight messages side by side. Digest `i` is that of the pieces of lane `i`.
#[target_feature(enable = "avx2")]
pub(super) fn hash(message: &Message, runs: &Runs<'_, LANES>, digests: &mut [[u8; 32]; LANES]) {
    let mut state: Words = [_mm256_set1_epi32(0); 8];
    for (words, word) in state.iter_mut().zip(message.start) {
        *words = _mm256_set1_epi32(word.cast_signed());
    }
    for lanes in runs {
        for p in 0..lanes[0].len() {
            compress(&mut state, lanes, p);
        }
    }
    if let Some(schedule) = &message.padding {
        compress_ready(&mut state, schedule);
    }
    for (digest, words) in digests.iter_mut().zip(transpose(state)) {
        // SAFETY: `digest` is 32 writable bytes; the store needs no alignment.
        unsafe { _mm256_storeu_si256(digest.as_mut_ptr().cast(), swap(words)) };
    }
}

/// Compresses piece `p` of each lane.
#[target_feature(enable = "avx2")]
fn compress(state: &mut Words, lanes: &[&[Piece]; LANES], p: usize) {
    let mut w = [_mm256_set1_epi32(0); 16];
    for (half, out) in w.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let mut rows = [_mm256_set1_epi32(0); 8];
        for (row, lane) in rows.iter_mut().zip(lanes) {
            let bytes = &lane[p].as_chunks::<32>().0[half];
            // SAFETY: `bytes` is a reference to 32 readable bytes; the load needs no alignment.
            *row = swap(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) });
        }
        *out = transpose(rows);
    }
    let old = *state;
    let mut working = *state;
    macro_rules! rounds {
        ($k:expr, $schedule:literal: $($t:literal)*) => {$(
            if $schedule {
                let (w15, w2) = (w[($t + 1) % 16], w[($t + 14) % 16]);
                let s0 =
                    xor3(rotate::<7, 25>(w15), rotate::<18, 14>(w15), _mm256_srli_epi32::<3>(w15));
                let s1 =
                    xor3(rotate::<17, 15>(w2), rotate::<19, 13>(w2), _mm256_srli_epi32::<10>(w2));
                let sum = _mm256_add_epi32(_mm256_add_epi32(w[$t], s0), w[($t + 9) % 16]);
                w[$t] = _mm256_add_epi32(sum, s1);
            }
            let k = _mm256_set1_epi32($k[$t].cast_signed());
            round(&mut working, _mm256_add_epi32(w[$t], k));
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
#[target_feature(enable = "avx2")]
fn compress_ready(state: &mut Words, schedule: &[u32; 64]) {
    let (old, mut working) = (*state, *state);
    for &word in schedule {
        round(&mut working, _mm256_set1_epi32(word.cast_signed()));
    }
    add(state, &old, &working);
}

#[target_feature(enable = "avx2")]
#[inline]
fn round(working: &mut Words, kw: __m256i) {
    let [a, b, c, d, e, f, g, h] = *working;
    let s1 = xor3(rotate::<6, 26>(e), rotate::<11, 21>(e), rotate::<25, 7>(e));
    let choose = _mm256_xor_si256(_mm256_and_si256(e, f), _mm256_andnot_si256(e, g));
    let t1 = _mm256_add_epi32(_mm256_add_epi32(h, s1), _mm256_add_epi32(choose, kw));
    let s0 = xor3(rotate::<2, 30>(a), rotate::<13, 19>(a), rotate::<22, 10>(a));
    let either = _mm256_and_si256(_mm256_or_si256(a, b), c);
    let majority = _mm256_or_si256(_mm256_and_si256(a, b), either);
    let t2 = _mm256_add_epi32(s0, majority);
    *working = [_mm256_add_epi32(t1, t2), a, b, c, _mm256_add_epi32(d, t1), e, f, g];
}

#[target_feature(enable = "avx2")]
#[inline]
fn add(state: &mut Words, old: &Words, working: &Words) {
    for i in 0..8 {
        state[i] = _mm256_add_epi32(old[i], working[i]);
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotate<const RIGHT: i32, const LEFT: i32>(x: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_srli_epi32::<RIGHT>(x), _mm256_slli_epi32::<LEFT>(x))
}

#[target_feature(enable = "avx2")]
#[inline]
fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(a, b), c)
}

/// Swaps the bytes of each word.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn swap(words: __m256i) -> __m256i {
    let (high, low) = (0x0c0d0e0f_08090a0b, 0x04050607_00010203);
    _mm256_shuffle_epi8(words, _mm256_set_epi64x(high, low, high, low))
}

/// Turns eight rows of eight words into eight columns.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn transpose(r: Words) -> Words {
    let low = |i: usize| _mm256_unpacklo_epi32(r[i], r[i + 1]);
    let high = |i: usize| _mm256_unpackhi_epi32(r[i], r[i + 1]);
    let (l0, h0, l2, h2) = (low(0), high(0), low(2), high(2));
    let (l4, h4, l6, h6) = (low(4), high(4), low(6), high(6));
    let top = [
        _mm256_unpacklo_epi64(l0, l2),
        _mm256_unpackhi_epi64(l0, l2),
        _mm256_unpacklo_epi64(h0, h2),
        _mm256_unpackhi_epi64(h0, h2),
    ];
    let bottom = [
        _mm256_unpacklo_epi64(l4, l6),
        _mm256_unpackhi_epi64(l4, l6),
        _mm256_unpacklo_epi64(h4, h6),
        _mm256_unpackhi_epi64(h4, h6),
    ];
    let mut out = r;
    for i in 0..4 {
        out[i] = _mm256_permute2x128_si256::<0x20>(top[i], bottom[i]);
        out[i + 4] = _mm256_permute2x128_si256::<0x31>(top[i], bottom[i]);
    }
    out
}
