//! Deflated bytes, inflated by ISA-L, the system's library.
#![allow(unsafe_code)]

use alloc::boxed::Box;
use core::ptr;

use isal_sys::igzip_lib as isal;

use super::header::bad;
use super::{Failed, Inflated, TRAILER};

/// One sequence of deflated blocks after the other.
///
/// The state has 150 KB, with a window of its own: what came out is never read again by the next call.
pub(super) struct Deflate(Box<isal::inflate_state>);

// SAFETY: the state's pointers are to the bytes of the call that goes on, which sets both first; between calls nothing
// reads them. All else in it is plain numbers, and the library has no state of a thread.
unsafe impl Send for Deflate {}

impl Deflate {
    /// In front of the first block.
    pub(super) fn new() -> Self {
        let mut state = Box::<isal::inflate_state>::new_uninit();
        // SAFETY: it is a struct of C of numbers, arrays of them, and two pointers that may be null, so zeros are a
        // value of it; they are written over all of the memory that the box has.
        let mut state = unsafe {
            ptr::write_bytes(state.as_mut_ptr(), 0, 1);
            state.assume_init()
        };
        // SAFETY: the pointer is to a whole state, which the function fills, and keeps nowhere.
        unsafe { isal::isal_inflate_init(&raw mut *state) };
        Self(state)
    }

    /// In front of the first block again.
    pub(super) fn reset(&mut self) {
        // SAFETY: as above, and it was filled by `new`.
        unsafe { isal::isal_inflate_reset(&raw mut *self.0) };
    }

    /// Goes on, up to the end of the blocks, that of the bytes or of the room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Inflated, Failed> {
        let state = &mut *self.0;
        // Who calls goes on with the rest.
        let (most_in, most_out) = (fits(input.len()), fits(output.len()));
        (state.next_in, state.avail_in) = (input.as_ptr().cast_mut(), most_in);
        (state.next_out, state.avail_out) = (output.as_mut_ptr(), most_out);
        // SAFETY: the state was filled by `new`; the bytes at `next_in` are `avail_in`, and are not written to; those at
        // `next_out` are `avail_out`, which nobody else has. Both outlive the call.
        let status = unsafe { isal::isal_inflate(state) };
        // Behind a fault it may count a byte more than there are, and so less than none are left.
        let used = most_in as isize - state.avail_in.cast_signed() as isize;
        let made = most_out.saturating_sub(state.avail_out) as usize;
        (state.next_in, state.next_out) = (ptr::null_mut(), ptr::null_mut());
        // Whole bytes that were taken and are of no block yet. They may be of an earlier call.
        let ahead = (state.read_in_length.max(0) / 8) as usize;
        if let Some(why) = fault(status) {
            return Err((used - ahead as isize, bad(why)));
        }
        let is_whole = state.block_state == isal::isal_block_state_ISAL_BLOCK_FINISH;
        // It reads 8 bytes ahead at most, which are all of the trailer.
        let ended = is_whole.then(|| {
            let bits = state.read_in_length.max(0) as u32 % 8;
            ((state.read_in >> bits).to_le_bytes(), ahead.min(TRAILER))
        });
        Ok(Inflated { used: usize::try_from(used).unwrap_or_default(), made, ended })
    }
}

/// As many bytes as one call takes, so that what is left of them has a sign.
fn fits(bytes: usize) -> u32 {
    i32::try_from(bytes).unwrap_or(i32::MAX).cast_unsigned()
}

/// What a status says of the bytes, if they are bad.
fn fault(status: i32) -> Option<&'static str> {
    match status {
        0.. => None,
        isal::ISAL_INVALID_BLOCK => Some("a block begins as none does"),
        isal::ISAL_INVALID_SYMBOL => Some("a code is that of no symbol"),
        isal::ISAL_INVALID_LOOKBACK => Some("it repeats bytes from before its beginning"),
        _ => Some("its bytes are damaged"),
    }
}
