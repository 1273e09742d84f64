//! Architectures without lanes, so far.

pub(super) mod cpu;

use super::Backend;
use super::sha256::State;

/// Leaves all blocks to the caller.
pub(in super::super) fn hash(
    _: Backend,
    _: &[u8],
    _: usize,
    _: &[u8],
    _: &mut [[u8; 32]],
) -> usize {
    0
}

/// Whether [`hash_along`] does anything.
pub(in super::super) fn hashes_along(_: Backend, _: &[u8]) -> bool {
    false
}

/// Does nothing, so far.
pub(in super::super) fn hash_along(
    _: Backend,
    _: &[u8],
    _: usize,
    _: &[u8],
    _: &mut [[u8; 32]],
    _: &mut State,
) -> bool {
    false
}
