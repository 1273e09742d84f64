//! How the caller is told how far a call is, and stops it.
#![allow(unsafe_code, reason = "calls the callers' callbacks")]

use core::ffi::c_void;

use crate::abi::error::Error;

/// Is told how many bytes were dealt with so far; 0 to go on, anything else cancels the call, which
/// returns it unchanged. It is called on the thread that made the call.
pub type ProgressFn = Option<unsafe extern "C" fn(ctx: *mut c_void, bytes: u64) -> i32>;

/// A [`ProgressFn`] in use.
#[derive(Debug)]
pub(crate) struct Progress {
    call: ProgressFn,
    ctx: *mut c_void,
    bytes: u64,
}

impl Progress {
    pub(crate) fn new(call: ProgressFn, ctx: *mut c_void) -> Self {
        Self { call, ctx, bytes: 0 }
    }

    /// So many bytes more.
    pub(crate) fn add(&mut self, bytes: u64) -> Result<(), Error> {
        self.bytes += bytes;
        let Some(call) = self.call else { return Ok(()) };
        // SAFETY: the caller says what the callback may be called with.
        match unsafe { call(self.ctx, self.bytes) } {
            0 => Ok(()),
            status => Err(Error::callback(status)),
        }
    }
}
