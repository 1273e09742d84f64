//! Asks for what will be hashed soon.
#![allow(unsafe_code)]

use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use super::super::message::Piece;

/// Brings what lies `ahead` bytes behind the start of a piece into the cache: a hint.
#[inline]
pub(super) fn prefetch(piece: &Piece, ahead: usize) {
    let later = piece.as_ptr().wrapping_add(ahead);
    #[allow(unused_unsafe, reason = "safe in later versions than 1.89")]
    // SAFETY: a prefetch reads nothing that the program sees and does not fault, whatever the
    // address; the pointer is never dereferenced. The target has SSE.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(later.cast());
    }
}
