//! Asks for memory before it is looked at.
#![allow(unsafe_code)]

/// Bytes of a cache line.
const LINE: usize = 64;

/// Brings bytes into the cache while the caller goes on: a hint, which changes nothing else.
///
/// A tar that another thread has read lies in that one's cache, and each header is a wait of its
/// own, which costs more than looking at it.
#[inline]
pub(super) fn prefetch(bytes: &[u8]) {
    for line in bytes.chunks(LINE) {
        #[cfg(all(target_arch = "x86_64", target_feature = "sse"))]
        {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            #[allow(unused_unsafe, reason = "safe in later versions than 1.89")]
            // SAFETY: a prefetch reads nothing that the program sees and does not fault, whatever
            // the address; this one is inside of a slice. The target has SSE.
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
            }
        }
        #[cfg(not(all(target_arch = "x86_64", target_feature = "sse")))]
        let _ = line;
    }
}
