//! How C reads an error object, and frees it.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_char;

use crate::abi::error::{Error, TARFS_OFFSET_NONE};
use crate::abi::pointer;

/// The status that the failed call returned.
///
/// @param error Not NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_error_status(error: *const Error) -> i32 {
    // SAFETY: the caller passes an error that this library made and that is not freed yet.
    unsafe { pointer::borrow(error, "error") }.map_or_else(|null| null.status, |error| error.status)
}

/// What went wrong, in words: one line of UTF-8, NUL-terminated, without a newline at its end. It
/// is for people; its wording may change with any release.
///
/// @param error Not NULL.
/// @return A string that lives until the error is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_error_message(error: *const Error) -> *const c_char {
    // SAFETY: the caller passes an error that this library made and that is not freed yet.
    unsafe { pointer::borrow(error, "error") }
        .map_or(c"error is NULL".as_ptr(), |error| error.message.as_ptr())
}

/// Where in the input it went wrong, in bytes from its start; TARFS_OFFSET_NONE if the error is
/// not about a place.
///
/// @param error Not NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_error_offset(error: *const Error) -> u64 {
    // SAFETY: the caller passes an error that this library made and that is not freed yet.
    unsafe { pointer::borrow(error, "error") }.map_or(TARFS_OFFSET_NONE, |error| error.offset)
}

/// The system's error number (errno) behind TARFS_STATUS_IO; 0 if there is none.
///
/// @param error Not NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_error_errno(error: *const Error) -> i32 {
    // SAFETY: the caller passes an error that this library made and that is not freed yet.
    unsafe { pointer::borrow(error, "error") }.map_or(0, |error| error.errno)
}

/// Frees an error.
///
/// @param error An error that is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_error_free(error: *mut Error) {
    // SAFETY: the caller passes NULL or an error that this library made, once.
    unsafe { pointer::free(error) }
}

#[cfg(test)]
mod tests {
    use core::ffi::CStr;
    use core::ptr;

    use super::*;
    use crate::abi::status::Status;

    #[test]
    fn c_reads_what_rust_wrote() {
        let error = pointer::give(Error::new(Status::InvalidArgument, "name a\0b").at(1536));
        // SAFETY: `error` is live until the last line.
        unsafe {
            assert_eq!(tarfs_error_status(error), -1);
            assert_eq!(CStr::from_ptr(tarfs_error_message(error)), c"name a\\0b");
            assert_eq!(tarfs_error_offset(error), 1536);
            tarfs_error_free(error);
        }
    }

    #[test]
    fn null_is_answered_not_followed() {
        // SAFETY: none of them follows NULL.
        unsafe {
            assert_eq!(tarfs_error_status(ptr::null()), Status::InvalidArgument.code());
            assert_eq!(CStr::from_ptr(tarfs_error_message(ptr::null())), c"error is NULL");
            assert_eq!(tarfs_error_offset(ptr::null()), TARFS_OFFSET_NONE);
            tarfs_error_free(ptr::null_mut());
        }
    }
}
