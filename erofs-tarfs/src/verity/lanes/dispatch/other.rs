//! No lanes, so far.

use super::Backend;

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
