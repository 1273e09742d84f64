//! x86-64: its kernels, and groups of blocks handed to them.
#![allow(unsafe_code)]

mod avx2;
mod avx512;
pub(super) mod cpu;
mod prefetch;
mod shani;
mod woven;

use super::Backend;
use super::groups::groups;
use super::message::Message;
use super::sha256::{BLOCK, State};

/// From so many blocks on lanes are faster than one block at a time.
const LEAST: usize = 2;

/// Whether [`hash_along`] does anything.
pub(in super::super) fn hashes_along(backend: Backend, salt: &[u8]) -> bool {
    // A stream is one message, for which the SHA instructions are the fastest. Without them nothing
    // is gained by hashing both together.
    backend != Backend::Sha2 && Backend::ShaNi.is_available() && salt.len().is_multiple_of(BLOCK)
}

/// Hashes whole blocks as [`hash`] does, all of `data`, and the same bytes into a stream's state.
/// Returns false, and has done nothing, if it can't.
pub(in super::super) fn hash_along(
    backend: Backend,
    salt: &[u8],
    block: usize,
    data: &[u8],
    digests: &mut [[u8; 32]],
    stream: &mut State,
) -> bool {
    if !hashes_along(backend, salt) {
        return false;
    }
    let message = Message::new(salt, block);
    let Some(padding) = &message.padding else { return false };
    // SAFETY: `hashes_along` found SHA, SSSE3 and SSE4.1, all that the kernel is compiled for.
    unsafe { shani::along(stream, &message.start, padding, data.as_chunks().0, digests) };
    true
}

/// Hashes blocks of `block` bytes, a multiple of 64, from the beginning of `data`, each with `salt`
/// in front, and says how many: all, or all but the last, or none if `backend` has no lanes.
pub(in super::super) fn hash(
    backend: Backend,
    salt: &[u8],
    block: usize,
    data: &[u8],
    digests: &mut [[u8; 32]],
) -> usize {
    if digests.len() < LEAST || !backend.is_available() {
        return 0;
    }
    let message = &Message::new(salt, block);
    match backend {
        Backend::Sha2 | Backend::Armv8 => 0,
        Backend::Avx2 => groups(message, data, digests, LEAST, |runs, digests| {
            // SAFETY: `is_available` found AVX2, all that the kernel is compiled for.
            unsafe { avx2::hash(message, runs, digests) }
        }),
        Backend::ShaNi => groups(message, data, digests, LEAST, |runs, digests| {
            // SAFETY: `is_available` found SHA, SSSE3 and SSE4.1, all that the kernel is compiled
            // for.
            unsafe { shani::hash(message, runs, digests) }
        }),
        Backend::ShaNiAvx512 => {
            // A group that is hardly more than half full is better left to fewer lanes.
            let whole = match digests.len() % woven::LANES {
                few @ 0..=5 => digests.len() - few,
                _ => digests.len(),
            };
            let (now, rest) = digests.split_at_mut(whole);
            // SAFETY: `is_available` found SHA, SSSE3, SSE4.1, AVX2 and AVX-512 F, VL and BW, all
            // that the kernel is compiled for.
            unsafe { woven::hash(message, data, now) };
            whole + hash(Backend::ShaNi, salt, block, &data[whole * block..], rest)
        }
        Backend::Avx512 => {
            // A group that is less than half full is better left to fewer lanes.
            let whole = match digests.len() % avx512::LANES {
                few @ 0..=8 => digests.len() - few,
                _ => digests.len(),
            };
            let (now, rest) = digests.split_at_mut(whole);
            let done = groups(message, data, now, LEAST, |runs, digests| {
                // SAFETY: `is_available` found AVX2, AVX-512F and AVX-512BW, all that the kernel is
                // compiled for.
                unsafe { avx512::hash(message, runs, digests) }
            });
            let fewer = match Backend::ShaNi.is_available() {
                true => Backend::ShaNi,
                false => Backend::Avx2,
            };
            done + hash(fewer, salt, block, &data[whole * block..], rest)
        }
    }
}
