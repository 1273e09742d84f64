//! The error object: what a status alone cannot say.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::ffi::CString;
use core::any::Any;
use core::ffi::c_char;
use core::fmt;

use erofs_tarfs::verity::Fault;
use erofs_tarfs::{layout, outputs, read, tar, tree, verity};

use crate::pointer;
use crate::status::Status;

/// What tarfs_error_offset returns for an error that is not about a place in an input.
pub const TARFS_OFFSET_NONE: u64 = u64::MAX;

/// The details of one failure. The caller who received it owns it, may read it from any thread,
/// and frees it with tarfs_error_free; it refers to nothing else, so it may outlive every handle.
#[derive(Debug)]
pub struct Error {
    status: i32,
    offset: u64,
    errno: i32,
    message: CString,
}

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        // A name from a tar may hold a NUL, which would cut a C string short.
        let message = message.into().replace('\0', "\\0");
        let message = CString::new(message).unwrap_or_default();
        Self { status: status.code(), offset: TARFS_OFFSET_NONE, errno: 0, message }
    }

    pub(crate) fn at(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// A failure that a callback reported: its number goes back unchanged.
    pub(crate) fn callback(status: i32) -> Self {
        Self { status, ..Self::new(Status::Ok, format!("the callback returned {status}")) }
    }

    pub(crate) fn null(what: &str) -> Self {
        Self::new(Status::InvalidArgument, format!("{what} is NULL"))
    }

    /// Something an argument must not be.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(Status::InvalidArgument, message)
    }

    /// A call at the wrong time.
    pub(crate) fn order(message: &str) -> Self {
        Self::new(Status::WrongOrder, message)
    }

    /// No such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Status::NotFound, message)
    }

    /// What the system says, or an error of ours that went through the system's type.
    pub(crate) fn io(doing: &str, error: std::io::Error) -> Self {
        let errno = error.raw_os_error().unwrap_or(0);
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(error) => {
                Self { errno, ..Self::new(Status::Io, format!("cannot {doing}: {error}")) }
            }
        }
    }

    pub(crate) fn panic(payload: Box<dyn Any + Send>) -> Self {
        let what = match payload.downcast::<&str>() {
            Ok(text) => String::from(*text),
            Err(payload) => match payload.downcast::<String>() {
                Ok(text) => *text,
                Err(other) => {
                    // Its destructor could panic again, with no boundary around it.
                    core::mem::forget(other);
                    String::from("no message")
                }
            },
        };
        Self::new(Status::Panic, format!("defect in the library: panic: {what}"))
    }

    pub(crate) fn poisoned() -> Self {
        Self::new(Status::Poisoned, "an earlier call on this handle panicked")
    }

    pub(crate) fn status(&self) -> i32 {
        self.status
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message.to_string_lossy())
    }
}

impl core::error::Error for Error {}

impl From<tar::Error> for Error {
    fn from(error: tar::Error) -> Self {
        Self::new(Status::Tar, error.to_string()).at(error.offset())
    }
}

impl From<tree::Error> for Error {
    fn from(error: tree::Error) -> Self {
        match error {
            tree::Error::Tar(error) => error.into(),
            tree::Error::Entry(ref entry) => {
                Self::new(Status::Tree, error.to_string()).at(entry.offset)
            }
            _ => Self::new(Status::Tree, error.to_string()),
        }
    }
}

impl From<layout::Error> for Error {
    fn from(error: layout::Error) -> Self {
        Self::new(Status::Layout, error.to_string())
    }
}

impl From<outputs::Error> for Error {
    fn from(error: outputs::Error) -> Self {
        Self::new(Status::Output, error.to_string())
    }
}

impl From<read::Error> for Error {
    fn from(error: read::Error) -> Self {
        let new = Self::new(Status::Read, error.to_string());
        match error {
            read::Error::Inode { offset, .. } => new.at(offset),
            _ => new,
        }
    }
}

impl From<erofs_tarfs::io::Error> for Error {
    fn from(error: erofs_tarfs::io::Error) -> Self {
        use erofs_tarfs::io::Error as Io;
        let text = error.to_string();
        match error {
            Io::Layer { error, .. } => error.into(),
            Io::Verity { error, .. } => error.into(),
            Io::Open { error, .. } | Io::Read { error, .. } | Io::Write { error, .. } => {
                Self { errno: error.raw_os_error().unwrap_or(0), ..Self::new(Status::Io, text) }
            }
            _ => Self::new(Status::InvalidArgument, text),
        }
    }
}

impl From<verity::Error> for Error {
    fn from(error: verity::Error) -> Self {
        let status = match error.is_mismatch() {
            true => Status::Mismatch,
            false => Status::Verity,
        };
        let new = Self::new(status, error.to_string());
        error.offset().into_iter().fold(new, Self::at)
    }
}

impl From<Fault<Self>> for Error {
    fn from(fault: Fault<Self>) -> Self {
        match fault {
            Fault::Verity(error) => error.into(),
            Fault::Caller(error) => error,
        }
    }
}

impl From<Fault<std::io::Error>> for Error {
    fn from(fault: Fault<std::io::Error>) -> Self {
        match fault {
            Fault::Verity(error) => error.into(),
            Fault::Caller(error) => Self::io("read or write", error),
        }
    }
}

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
    fn a_callbacks_number_comes_back_unchanged() {
        for status in [1, 77, i32::MAX, -5] {
            assert_eq!(Error::callback(status).status(), status);
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
