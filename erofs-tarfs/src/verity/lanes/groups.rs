//! Blocks cut into groups that a kernel takes at once.

use super::message::{Message, Runs, Scratch};

/// Takes `N` blocks at a time. Of a last group that is not full the missing lanes repeat the last
/// block; it is left to the caller if it has fewer than `least` blocks. Says how many were hashed.
pub(super) fn groups<const N: usize>(
    message: &Message,
    data: &[u8],
    digests: &mut [[u8; 32]],
    least: usize,
    kernel: impl Fn(&Runs<'_, N>, &mut [[u8; 32]; N]),
) -> usize {
    let count = digests.len();
    let block = |i: usize| &data[i * message.block..][..message.block];
    let mut scratch = Scratch::new(message);
    let (groups, rest) = digests.as_chunks_mut::<N>();
    for (g, digests) in groups.iter_mut().enumerate() {
        kernel(&scratch.runs(&core::array::from_fn(|l| block(g * N + l))), digests);
    }
    if rest.len() < least.max(1) {
        return count - rest.len();
    }
    let first = count - rest.len();
    let mut out = [[0; 32]; N];
    let blocks = core::array::from_fn(|l| block((first + l).min(count - 1)));
    kernel(&scratch.runs(&blocks), &mut out);
    rest.copy_from_slice(&out[..rest.len()]);
    count
}
