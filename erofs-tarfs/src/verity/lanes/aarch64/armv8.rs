//! Armv8 SHA-256 instructions: two messages in one instruction stream.
//!
//! `sha256h` and `sha256h2` take four cycles or more and depend on those before; another message
//! fills the gaps. Two take half of the 32 registers, so that nothing is spilled.
//!
//! # References
//! Arm Architecture Reference Manual, "SHA256H", "SHA256H2", "SHA256SU0", "SHA256SU1".
#![allow(unsafe_code)]

use core::arch::aarch64::{
    uint32x4_t, vaddq_u32, vld1q_u8, vld1q_u32, vreinterpretq_u8_u32, vreinterpretq_u32_u8,
    vrev32q_u8, vsha256h2q_u32, vsha256hq_u32, vsha256su0q_u32, vsha256su1q_u32, vst1q_u8,
};

use super::super::message::{Message, Piece, Runs};
use super::super::sha256::K;

mod along;

pub(super) use along::along;

/// Messages hashed together.
pub(super) const LANES: usize = 2;

/// The working variables a to d, and e to h, of each lane.
type States = [[uint32x4_t; 2]; LANES];

/// Hashes two messages side by side. Digest `i` is that of the pieces of lane `i`.
#[target_feature(enable = "neon,sha2")]
pub(super) fn hash(message: &Message, runs: &Runs<'_, LANES>, digests: &mut [[u8; 32]; LANES]) {
    let start = message.start.as_chunks::<4>().0;
    let mut states = [[words(&start[0]), words(&start[1])]; LANES];
    for lanes in runs {
        let count = lanes[0].len();
        assert!(lanes.iter().all(|lane| lane.len() == count));
        for p in 0..count {
            compress(&mut states, lanes, p);
        }
    }
    if let Some(schedule) = &message.padding {
        compress_ready(&mut states, schedule);
    }
    for (digest, state) in digests.iter_mut().zip(states) {
        store(state, digest);
    }
}

/// The digest of a state.
#[target_feature(enable = "neon")]
#[inline]
fn store(state: [uint32x4_t; 2], digest: &mut [u8; 32]) {
    for (half, words) in digest.as_chunks_mut::<16>().0.iter_mut().zip(state) {
        let bytes = vrev32q_u8(vreinterpretq_u8_u32(words));
        // SAFETY: `half` is 16 writable bytes; the store needs no alignment.
        unsafe { vst1q_u8(half.as_mut_ptr(), bytes) };
    }
}

/// The big-endian words of a piece.
#[target_feature(enable = "neon")]
#[inline]
fn load(piece: &Piece) -> [uint32x4_t; 4] {
    let [a, b, c, d] = piece.as_chunks::<16>().0 else { unreachable!("64 bytes") };
    [a, b, c, d].map(|bytes| {
        // SAFETY: `bytes` is a reference to 16 readable bytes; the load needs no alignment.
        let bytes = unsafe { vld1q_u8(bytes.as_ptr()) };
        vreinterpretq_u32_u8(vrev32q_u8(bytes))
    })
}

/// Compresses piece `p` of each lane.
#[target_feature(enable = "neon,sha2")]
#[inline]
fn compress(states: &mut States, lanes: &[&[Piece]; LANES], p: usize) {
    let old = *states;
    let mut w = [load(&lanes[0][p]), load(&lanes[1][p])];
    macro_rules! quads {
        ($($g:literal)*) => {$(
            let k = words(&K.as_chunks::<4>().0[$g]);
            for l in 0..LANES {
                let now = w[l][$g % 4];
                quad(&mut states[l], vaddq_u32(now, k));
                if $g < 12 {
                    let next = vsha256su0q_u32(now, w[l][($g + 1) % 4]);
                    w[l][$g % 4] = vsha256su1q_u32(next, w[l][($g + 2) % 4], w[l][($g + 3) % 4]);
                }
            }
        )*};
    }
    quads!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    add(states, &old);
}

/// Compresses a piece that all lanes share, from its ready schedule.
#[target_feature(enable = "neon,sha2")]
#[inline]
fn compress_ready(states: &mut States, schedule: &[u32; 64]) {
    let old = *states;
    for kw in schedule.as_chunks::<4>().0 {
        let kw = words(kw);
        states.iter_mut().for_each(|state| quad(state, kw));
    }
    add(states, &old);
}

/// Four rounds.
#[target_feature(enable = "neon,sha2")]
#[inline]
fn quad(state: &mut [uint32x4_t; 2], kw: uint32x4_t) {
    let [abcd, efgh] = *state;
    *state = [vsha256hq_u32(abcd, efgh, kw), vsha256h2q_u32(efgh, abcd, kw)];
}

#[target_feature(enable = "neon,sha2")]
#[inline]
fn add(states: &mut States, old: &States) {
    for (state, old) in states.iter_mut().zip(old) {
        *state = [vaddq_u32(state[0], old[0]), vaddq_u32(state[1], old[1])];
    }
}

#[target_feature(enable = "neon,sha2")]
#[inline]
fn words(words: &[u32; 4]) -> uint32x4_t {
    // SAFETY: `words` is a reference to four readable words.
    unsafe { vld1q_u32(words.as_ptr()) }
}
