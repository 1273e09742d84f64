//! AArch64: its kernel, and groups of blocks handed to it.
#![allow(unsafe_code)]

mod armv8;
pub(super) mod cpu;

use super::Backend;
use super::groups::groups;
use super::message::{Message, Runs};
use super::sha256::{BLOCK, State};

/// From so many blocks on lanes are faster than one block at a time.
const LEAST: usize = 2;

/// Hashes blocks of `block` bytes, a multiple of 64, from the beginning of `data`, each with `salt`
/// in front, and says how many: all, or all but the last, or none if `backend` has no lanes.
pub(in super::super) fn hash(
    backend: Backend,
    salt: &[u8],
    block: usize,
    data: &[u8],
    digests: &mut [[u8; 32]],
) -> usize {
    if backend != Backend::Armv8 || !backend.is_available() {
        return 0;
    }
    let message = &Message::new(salt, block);
    groups(message, data, digests, LEAST, |runs: &Runs<'_, { armv8::LANES }>, digests| {
        // SAFETY: `is_available` found the SHA-256 instructions, and Advanced SIMD is in every
        // AArch64 CPU that Rust's targets with floating point are for: all that the kernel is
        // compiled for.
        unsafe { armv8::hash(message, runs, digests) }
    })
}

/// Whether [`hash_along`] does anything.
pub(in super::super) fn hashes_along(backend: Backend, salt: &[u8]) -> bool {
    backend == Backend::Armv8 && backend.is_available() && salt.len().is_multiple_of(BLOCK)
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
    // SAFETY: `hashes_along` found the SHA-256 instructions, all that the kernel is compiled for.
    unsafe { armv8::along(stream, &message.start, padding, data.as_chunks().0, digests) };
    true
}
