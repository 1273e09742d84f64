//! The boundary that no panic crosses.
#![allow(unsafe_code, reason = "writes the caller's error")]

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use crate::abi::error::Error;
use crate::abi::pointer;
use crate::abi::status::Status;

/// Runs the body of an exported function, and tells C how it went.
///
/// A panic is a defect: it becomes a status too, and poisons the handle if the body works inside
/// [`Guarded::with`].
///
/// # Safety
///
/// `error` is NULL, or aligned and valid for a write.
pub(crate) unsafe fn boundary(
    error: *mut *mut Error,
    body: impl FnOnce() -> Result<(), Error>,
) -> i32 {
    let body = || {
        inject();
        body()
    };
    // What a body shares with later calls is behind a `Guarded`, or is never changed.
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return Status::Ok.code(),
        Ok(Err(failure)) => failure,
        Err(payload) => Error::panic(payload),
    };
    let status = failure.status();
    if !error.is_null() {
        // SAFETY: `error` is valid for a write by this function's own contract.
        unsafe { pointer::put(error, pointer::give(failure)) }
    }
    status
}

/// Panics where the tests ask for it: at the point whose number is in `TARFS_INJECT_PANIC`.
#[cfg(feature = "inject-panics")]
fn inject() {
    use core::sync::atomic::{AtomicU64, Ordering};
    static POINT: AtomicU64 = AtomicU64::new(0);
    let point = POINT.fetch_add(1, Ordering::Relaxed) + 1;
    let wanted = std::env::var("TARFS_INJECT_PANIC").ok().and_then(|wanted| wanted.parse().ok());
    assert_ne!(wanted, Some(point), "injected at point {point}");
}

#[cfg(not(feature = "inject-panics"))]
fn inject() {}

/// A handle's state, which a panic takes away.
#[derive(Debug)]
pub(crate) struct Guarded<T>(Option<Box<T>>);

impl<T> Guarded<T> {
    pub(crate) fn new(state: T) -> Self {
        Self(Some(Box::new(state)))
    }

    /// Works on the state. If `work` panics, the state is gone, and every later call is told so.
    pub(crate) fn with<R>(
        &mut self,
        work: impl FnOnce(&mut T) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut state = self.0.take().ok_or_else(Error::poisoned)?;
        inject();
        let result = work(&mut state);
        self.0 = Some(state);
        result
    }
}

#[cfg(test)]
mod tests {
    use core::ffi::CStr;
    use core::ptr;

    use super::*;
    use crate::abi::error_calls::{tarfs_error_free, tarfs_error_message};

    /// Status and message of a body's end.
    fn run(body: impl FnOnce() -> Result<(), Error>) -> (i32, String) {
        let mut error = ptr::null_mut();
        // SAFETY: `error` is a local; what it receives is read, then freed once.
        unsafe {
            let status = boundary(&raw mut error, body);
            if error.is_null() {
                return (status, String::new());
            }
            let message = CStr::from_ptr(tarfs_error_message(error)).to_str().unwrap().to_owned();
            tarfs_error_free(error);
            (status, message)
        }
    }

    #[test]
    fn the_error_is_written_on_failure_only() {
        assert_eq!(run(|| Ok(())), (0, String::new()));
        assert_eq!(run(|| Err(Error::null("tar"))), (-1, "tar is NULL".into()));
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { boundary(ptr::null_mut(), || Err(Error::null("tar"))) }, -1);
    }

    #[test]
    fn a_panic_becomes_a_status() {
        let (status, message) = run(|| panic!("number {}", 7));
        assert_eq!(status, Status::Panic.code());
        assert!(message.ends_with("number 7"), "{message}");
        assert_eq!(run(|| panic!("plain")).0, Status::Panic.code());
        assert_eq!(run(|| std::panic::panic_any(7)).0, Status::Panic.code());
    }

    #[test]
    fn a_panic_poisons_an_error_does_not() {
        let mut handle = Guarded::new(1);
        assert_eq!(run(|| handle.with(|_| Err(Error::null("tar")))).0, -1);
        assert_eq!(handle.with(|state| Ok(*state)).unwrap(), 1);
        assert_eq!(run(|| handle.with(|_| panic!("half done"))).0, Status::Panic.code());
        assert_eq!(run(|| handle.with(|_| Ok(()))).0, Status::Poisoned.code());
    }
}
