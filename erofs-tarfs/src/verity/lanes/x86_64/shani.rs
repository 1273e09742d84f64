//! SHA-NI: two messages in one instruction stream.
//!
//! One message waits four cycles for each `sha256rnds2`; the unit takes a new one every cycle or
//! two. Two messages fit the sixteen registers of SSE.
//!
//! # References
//! Intel SDM, "SHA256RNDS2", "SHA256MSG1", "SHA256MSG2"; Gulley et al., "Intel SHA Extensions".
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128, _mm_set_epi32,
    _mm_set_epi64x, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32,
    _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_storeu_si128,
};

use super::super::message::{Message, Piece, Runs};
use super::super::sha256::{K, State};

use super::prefetch::prefetch;

mod along;

pub(super) use along::along;

/// Messages hashed together.
pub(super) const LANES: usize = 2;

/// Half of the states, the other half.
type Halves = [__m128i; LANES];

/// Hashes two messages side by side. Digest `i` is that of the pieces of lane `i`.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
pub(super) fn hash(message: &Message, runs: &Runs<'_, LANES>, digests: &mut [[u8; 32]; LANES]) {
    let (abef, cdgh) = pack(&message.start);
    let (mut abef, mut cdgh) = ([abef; LANES], [cdgh; LANES]);
    for lanes in runs {
        pieces(&mut abef, &mut cdgh, lanes, LANES * message.block);
    }
    if let Some(schedule) = &message.padding {
        padding(&mut abef, &mut cdgh, schedule);
    }
    for l in 0..LANES {
        unpack(abef[l], cdgh[l], &mut digests[l]);
    }
}

/// Compresses the pieces of each lane. `ahead` is the distance in bytes to what will be hashed
/// next.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
#[inline]
fn pieces(abef: &mut Halves, cdgh: &mut Halves, lanes: &[&[Piece]; LANES], ahead: usize) {
    let count = lanes[0].len();
    assert!(lanes.iter().all(|lane| lane.len() == count));
    for p in 0..count {
        let (old_abef, old_cdgh) = (*abef, *cdgh);
        let mut w = [[old_abef[0]; 4]; LANES];
        macro_rules! quads {
            ($($g:literal)*) => {$(
                let (now, next, last) = ($g % 4, ($g + 1) % 4, ($g + 3) % 4);
                let k = word_quad(&K, $g);
                for l in 0..LANES {
                    if $g < 4 {
                        w[l][now] = load(&lanes[l][p], $g);
                    }
                    let kw = _mm_add_epi32(w[l][now], k);
                    cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], kw);
                    if $g >= 3 && $g < 15 {
                        let w7 = _mm_alignr_epi8::<4>(w[l][now], w[l][last]);
                        let sum = _mm_add_epi32(w[l][next], w7);
                        w[l][next] = _mm_sha256msg2_epu32(sum, w[l][now]);
                    }
                    let kw = _mm_shuffle_epi32::<0x0e>(kw);
                    abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], kw);
                    if $g >= 1 && $g < 13 {
                        w[l][last] = _mm_sha256msg1_epu32(w[l][last], w[l][now]);
                    }
                }
            )*};
        }
        for lane in lanes {
            prefetch(&lane[p], ahead);
        }
        quads!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        add(abef, cdgh, &old_abef, &old_cdgh);
    }
}

/// Compresses one piece that all lanes share, from its ready schedule.
#[target_feature(enable = "sha,sse4.1,ssse3,sse2")]
#[inline]
fn padding(abef: &mut Halves, cdgh: &mut Halves, schedule: &[u32; 64]) {
    let (old_abef, old_cdgh) = (*abef, *cdgh);
    for g in 0..16 {
        let kw = word_quad(schedule, g);
        let kw_high = _mm_shuffle_epi32::<0x0e>(kw);
        for l in 0..LANES {
            cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], kw);
        }
        for l in 0..LANES {
            abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], kw_high);
        }
    }
    add(abef, cdgh, &old_abef, &old_cdgh);
}

#[target_feature(enable = "sse2")]
#[inline]
fn add(abef: &mut Halves, cdgh: &mut Halves, old_abef: &Halves, old_cdgh: &Halves) {
    for l in 0..LANES {
        abef[l] = _mm_add_epi32(abef[l], old_abef[l]);
        cdgh[l] = _mm_add_epi32(cdgh[l], old_cdgh[l]);
    }
}

/// Words `4 * g` to `4 * g + 3`.
#[target_feature(enable = "sse2")]
#[inline]
fn word_quad(words: &[u32; 64], g: usize) -> __m128i {
    let quad = &words.as_chunks::<4>().0[g];
    // SAFETY: `quad` is a reference to 16 readable bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(quad.as_ptr().cast()) }
}

/// The big-endian words `4 * g` to `4 * g + 3` of a piece.
#[target_feature(enable = "ssse3")]
#[inline]
fn load(piece: &Piece, g: usize) -> __m128i {
    let bytes = &piece.as_chunks::<16>().0[g];
    // SAFETY: `bytes` is a reference to 16 readable bytes; the load needs no alignment.
    let words = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
    _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f_08090a0b, 0x04050607_00010203))
}

/// The state in the order that the instructions want: f, e, b, a and h, g, d, c.
#[target_feature(enable = "sse2")]
#[inline]
pub(super) fn pack(state: &State) -> (__m128i, __m128i) {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    (_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h))
}

/// The digest of a state as [`pack`] makes it.
#[target_feature(enable = "sse4.1,ssse3")]
#[inline]
pub(super) fn unpack(abef: __m128i, cdgh: __m128i, digest: &mut [u8; 32]) {
    let feba = _mm_shuffle_epi32::<0x1b>(abef);
    let dchg = _mm_shuffle_epi32::<0xb1>(cdgh);
    let dcba = _mm_blend_epi16::<0xf0>(feba, dchg);
    let hgfe = _mm_alignr_epi8::<8>(dchg, feba);
    let swap = _mm_set_epi64x(0x0c0d0e0f_08090a0b, 0x04050607_00010203);
    let (low, high) = digest.split_at_mut(16);
    // SAFETY: `low` and `high` are 16 writable bytes each; the stores need no alignment.
    unsafe {
        _mm_storeu_si128(low.as_mut_ptr().cast(), _mm_shuffle_epi8(dcba, swap));
        _mm_storeu_si128(high.as_mut_ptr().cast(), _mm_shuffle_epi8(hgfe, swap));
    }
}
