//! Groups of blocks to kernels.
#![allow(unsafe_code)]

use super::message::{Message, Runs, Scratch};
use super::{Backend, avx2, avx512, shani};

/// Hashes blocks of `block` bytes, a multiple of 64, from the beginning of `data`, each with `salt`
/// in front, and says how many: all, or all but the last, or none if `backend` has no lanes.
pub(in super::super) fn hash(
    backend: Backend,
    salt: &[u8],
    block: usize,
    data: &[u8],
    digests: &mut [[u8; 32]],
) -> usize {
    if digests.len() < 2 || !backend.is_available() {
        return 0;
    }
    let message = &Message::new(salt, block);
    match backend {
        Backend::Sha2 => 0,
        Backend::Avx2 => groups(message, data, digests, |runs, digests| {
            // SAFETY: `is_available` found AVX2, all that the kernel is compiled for.
            unsafe { avx2::hash(message, runs, digests) }
        }),
        Backend::ShaNi => groups(message, data, digests, |runs: &Runs<'_, 2>, digests| {
            // SAFETY: `is_available` found SHA, SSSE3 and SSE4.1, all that the kernel is compiled
            // for.
            unsafe { shani::sse(message, runs, digests) }
        }),
        Backend::ShaNiAvx512 => groups(message, data, digests, |runs: &Runs<'_, 4>, digests| {
            // SAFETY: `is_available` found SHA, SSSE3, SSE4.1, AVX-512F and AVX-512VL, all that
            // the kernel is compiled for.
            unsafe { shani::avx512(message, runs, digests) }
        }),
        Backend::Avx512 => {
            // A group that is less than half full is better left to fewer lanes.
            let whole = match digests.len() % avx512::LANES {
                few @ 0..=8 => digests.len() - few,
                _ => digests.len(),
            };
            let (now, rest) = digests.split_at_mut(whole);
            let done = groups(message, data, now, |runs, digests| {
                // SAFETY: `is_available` found AVX2, AVX-512F and AVX-512BW, all that the kernel is
                // compiled for.
                unsafe { avx512::hash(message, runs, digests) }
            });
            let fewer = match Backend::ShaNiAvx512.is_available() {
                true => Backend::ShaNiAvx512,
                false => Backend::Avx2,
            };
            done + hash(fewer, salt, block, &data[whole * block..], rest)
        }
    }
}

/// Takes `N` blocks at a time. Of a last group that is not full the missing lanes repeat the last
/// block; a single block is left to the caller.
fn groups<const N: usize>(
    message: &Message,
    data: &[u8],
    digests: &mut [[u8; 32]],
    kernel: impl Fn(&Runs<'_, N>, &mut [[u8; 32]; N]),
) -> usize {
    let count = digests.len();
    let block = |i: usize| &data[i * message.block..][..message.block];
    let mut scratch = Scratch::new(message);
    let (groups, rest) = digests.as_chunks_mut::<N>();
    for (g, digests) in groups.iter_mut().enumerate() {
        kernel(&scratch.runs(&core::array::from_fn(|l| block(g * N + l))), digests);
    }
    if rest.len() < 2 {
        return count - rest.len();
    }
    let first = count - rest.len();
    let mut out = [[0; 32]; N];
    let blocks = core::array::from_fn(|l| block((first + l).min(count - 1)));
    kernel(&scratch.runs(&blocks), &mut out);
    rest.copy_from_slice(&out[..rest.len()]);
    count
}
