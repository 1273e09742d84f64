//! A caller's pointers become references here, and nowhere else.
//!
//! What no check can see is the contract of each function; what a check can see (NULL, absurd
//! lengths) is an error.
#![allow(unsafe_code, reason = "holds the callers' pointers")]

use core::ffi::{CStr, c_char};
use core::panic::AssertUnwindSafe;
use core::{ptr, slice};
use std::panic::catch_unwind;

use crate::abi::error::Error;
use crate::abi::status::Status;

/// Hands an object to C, which gives it back through [`free`].
pub(crate) fn give<T>(object: T) -> *mut T {
    Box::into_raw(Box::new(object))
}

/// Takes back an object and drops it; NULL is none.
///
/// # Safety
///
/// `object` is NULL or came from [`give`], is given back once, and nothing borrows from it.
pub(crate) unsafe fn free<T>(object: *mut T) {
    if object.is_null() {
        return;
    }
    // SAFETY: it came from `Box::into_raw`, and by the contract is given back once.
    let object = unsafe { Box::from_raw(object) };
    // There is no status to return: a destructor that panics has leaked something, no more.
    drop(catch_unwind(AssertUnwindSafe(|| drop(object))));
}

/// Borrows an object for reading.
///
/// # Safety
///
/// `object` is NULL or came from [`give`], is not freed while `'a` lasts, and nothing changes it in
/// that time.
pub(crate) unsafe fn borrow<'a, T>(object: *const T, what: &str) -> Result<&'a T, Error> {
    // SAFETY: not NULL, `as_ref` asks no more than the contract says.
    unsafe { object.as_ref() }.ok_or_else(|| Error::null(what))
}

/// Borrows an object for changing it.
///
/// # Safety
///
/// `object` is NULL or came from [`give`], is not freed while `'a` lasts, and nobody else uses it in
/// that time.
pub(crate) unsafe fn borrow_mut<'a, T>(object: *mut T, what: &str) -> Result<&'a mut T, Error> {
    // SAFETY: not NULL, `as_mut` asks no more than the contract says.
    unsafe { object.as_mut() }.ok_or_else(|| Error::null(what))
}

/// Borrows `len` bytes; `ptr` is ignored if there are none.
///
/// # Safety
///
/// If `ptr` is not NULL and `len` is not 0, the `len` bytes at `ptr` are initialised, and nothing
/// changes or frees them while `'a` lasts.
pub(crate) unsafe fn bytes<'a>(ptr: *const u8, len: usize, what: &str) -> Result<&'a [u8], Error> {
    if len == 0 {
        return Ok(&[]);
    }
    if ptr.is_null() {
        return Err(Error::null(what));
    }
    if isize::try_from(len).is_err() {
        let message = format!("{what} cannot have {len} bytes: no memory has");
        return Err(Error::new(Status::InvalidArgument, message));
    }
    // SAFETY: not NULL, not longer than an object can be, and readable by the contract.
    Ok(unsafe { slice::from_raw_parts(ptr, len) })
}

/// Borrows `len` bytes to be written, zeros at first; `ptr` is ignored if there are none.
///
/// # Safety
///
/// If `ptr` is not NULL and `len` is not 0, the `len` bytes at `ptr` are writable, and nobody else
/// uses them while `'a` lasts.
pub(crate) unsafe fn bytes_mut<'a>(
    ptr: *mut u8,
    len: usize,
    what: &str,
) -> Result<&'a mut [u8], Error> {
    if len == 0 {
        return Ok(&mut []);
    }
    if ptr.is_null() {
        return Err(Error::null(what));
    }
    if isize::try_from(len).is_err() {
        return Err(Error::argument(format!("{what} cannot have {len} bytes: no memory has")));
    }
    // What C allocated may not be initialised yet.
    // SAFETY: writable by the contract.
    unsafe { ptr::write_bytes(ptr, 0, len) }
    // SAFETY: not NULL, not longer than an object can be, just initialised, and alone by the
    // contract.
    Ok(unsafe { slice::from_raw_parts_mut(ptr, len) })
}

/// Borrows `len` bytes that are UTF-8.
///
/// # Safety
///
/// As [`bytes`].
pub(crate) unsafe fn utf8<'a>(ptr: *const u8, len: usize, what: &str) -> Result<&'a str, Error> {
    // SAFETY: by this function's own contract.
    let bytes = unsafe { bytes(ptr, len, what)? };
    core::str::from_utf8(bytes).map_err(|_| Error::argument(format!("{what} is not UTF-8")))
}

/// Borrows a string that ends with NUL. It has to be UTF-8, as what it goes into is text.
///
/// # Safety
///
/// `text` is NULL or points to such a string, which nothing changes or frees while `'a` lasts.
pub(crate) unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str, Error> {
    if text.is_null() {
        return Err(Error::null(what));
    }
    // SAFETY: not NULL, and a string by the contract.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Error::argument(format!("{what} is not UTF-8: {text:?}")))
}

/// Borrows an object that may be missing.
///
/// # Safety
///
/// As [`borrow`].
pub(crate) unsafe fn maybe<'a, T>(object: *const T) -> Option<&'a T> {
    // SAFETY: `as_ref` asks no more than the contract says.
    unsafe { object.as_ref() }
}

/// Borrows an array of `count` pointers; `ptr` is ignored if there are none.
///
/// # Safety
///
/// As [`bytes`], for `count` pointers.
pub(crate) unsafe fn array<'a, T>(
    ptr: *const *const T,
    count: usize,
    what: &str,
) -> Result<&'a [*const T], Error> {
    if count == 0 {
        return Ok(&[]);
    }
    if ptr.is_null() {
        return Err(Error::null(what));
    }
    if count > isize::MAX as usize / size_of::<*const T>() {
        return Err(Error::argument(format!("{what} cannot be {count}: no memory has")));
    }
    // SAFETY: not NULL, not longer than an object can be, and readable by the contract.
    Ok(unsafe { slice::from_raw_parts(ptr, count) })
}

/// Checks that an output that has to be there is.
pub(crate) fn output<T>(out: *mut T, what: &str) -> Result<(), Error> {
    if out.is_null() { Err(Error::null(what)) } else { Ok(()) }
}

/// Writes an output; NULL means that the caller does not want it.
///
/// # Safety
///
/// `out` is NULL, or aligned and valid for a write. What it held is not dropped.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: not NULL, and valid by the contract.
        unsafe { ptr::write(out, value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_need_no_pointer() {
        // SAFETY: NULL is not followed.
        unsafe {
            assert_eq!(bytes(ptr::null(), 0, "data").unwrap(), b"");
            assert_eq!(bytes(ptr::null(), 1, "data").unwrap_err().status(), -1);
        }
    }

    #[test]
    fn a_negative_length_is_refused() {
        let byte = 7;
        // SAFETY: the length is refused before a byte is read.
        let refused = unsafe { bytes(&raw const byte, usize::MAX, "data") };
        assert_eq!(refused.unwrap_err().status(), Status::InvalidArgument.code());
    }

    #[test]
    fn text_is_utf_8() {
        // SAFETY: NULL is not followed, the others are strings.
        unsafe {
            assert_eq!(text(c"a tar".as_ptr(), "name").unwrap(), "a tar");
            assert!(text(c"\xff".as_ptr(), "name").is_err());
            assert!(text(ptr::null(), "name").is_err());
        }
    }

    #[test]
    fn objects_go_out_and_come_back() {
        let object = give(vec![1, 2]);
        // SAFETY: `object` is live until `free`, and used by this thread alone.
        unsafe {
            borrow_mut(object, "list").unwrap().push(3);
            assert_eq!(borrow(object, "list").unwrap(), &[1, 2, 3]);
            free(object);
            assert!(borrow_mut::<u8>(ptr::null_mut(), "list").is_err());
            free::<u8>(ptr::null_mut());
        }
    }

    #[test]
    fn a_panic_in_a_destructor_stays_inside() {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        // SAFETY: given and taken back once.
        unsafe { free(give(Bad)) }
    }
}
