//! Strings that the library makes for C.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::ffi::CString;
use core::ffi::c_char;

use crate::abi::error::Error;
use crate::abi::pointer;

/// Hands out a string that ends with NUL, and that `tarfs_string_free` takes back.
///
/// # Safety
///
/// As [`pointer::put`].
pub(crate) unsafe fn put(out: *mut *mut c_char, text: String) -> Result<(), Error> {
    let text = CString::new(text).map_err(|_| Error::argument("a NUL in the text"))?;
    if !out.is_null() {
        // SAFETY: by this function's own contract.
        unsafe { pointer::put(out, text.into_raw()) }
    }
    Ok(())
}

/// Frees a string that this library made.
///
/// @param string A string that is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_string_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: it came from `CString::into_raw`, and is given back once.
        drop(unsafe { CString::from_raw(string) });
    }
}
