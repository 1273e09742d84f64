//! The error object: what a status alone cannot say. C reads it by the calls of `error_calls`.

use alloc::ffi::CString;
use core::any::Any;
use core::fmt;

use crate::abi::status::Status;

/// What tarfs_error_offset returns for an error that is not about a place in an input.
pub const TARFS_OFFSET_NONE: u64 = u64::MAX;

/// The details of one failure. The caller who received it owns it, may read it from any thread,
/// and frees it with tarfs_error_free; it refers to nothing else, so it may outlive every handle.
#[derive(Debug)]
pub struct Error {
    pub(super) status: i32,
    pub(super) offset: u64,
    pub(super) errno: i32,
    pub(super) message: CString,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callbacks_number_comes_back_unchanged() {
        for status in [1, 77, i32::MAX, -5] {
            assert_eq!(Error::callback(status).status(), status);
        }
    }
}
