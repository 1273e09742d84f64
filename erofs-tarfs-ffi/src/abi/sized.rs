//! Structs that begin with their size, so that they can grow.
#![allow(unsafe_code, reason = "reads and writes the callers' structs")]

use core::{mem, ptr};

use crate::abi::error::Error;

/// A struct of options or answers.
///
/// # Safety
///
/// `repr(C)`, begins with a `usize`, every bit pattern of zeros is a value of it, and it owns
/// nothing.
pub(crate) unsafe trait Sized: Copy {}

/// The size that the caller set.
///
/// # Safety
///
/// `object` is not NULL and readable for a `usize`.
unsafe fn stated<T>(object: *const T, what: &str) -> Result<usize, Error> {
    // SAFETY: by the contract; the caller's compiler aligned the struct.
    let size = unsafe { ptr::read(object.cast::<usize>()) };
    if size < mem::size_of::<usize>() || size % mem::align_of::<usize>() != 0 {
        return Err(Error::argument(format!("{what}: size {size} is none of the struct's")));
    }
    Ok(size)
}

/// Reads options; NULL is all defaults.
///
/// # Safety
///
/// `options` is NULL, or readable for as many bytes as its first field says.
pub(crate) unsafe fn read<T: Sized>(options: *const T, what: &str) -> Result<T, Error> {
    // SAFETY: zeros are a value, by the trait's contract.
    let mut known: T = unsafe { mem::zeroed() };
    if options.is_null() {
        return Ok(known);
    }
    // SAFETY: not NULL, and readable by the contract.
    let size = unsafe { stated(options, what)? };
    let bytes = size.min(mem::size_of::<T>());
    // SAFETY: both are valid for `bytes`, and do not overlap: one is a local.
    unsafe { ptr::copy_nonoverlapping(options.cast::<u8>(), (&raw mut known).cast(), bytes) }
    for at in bytes..size {
        // SAFETY: within the size that the caller stated.
        if unsafe { options.cast::<u8>().add(at).read() } != 0 {
            let message = format!("{what}: a field is set that this library does not know");
            return Err(Error::argument(message));
        }
    }
    Ok(known)
}

/// Reads options that have to be there.
///
/// # Safety
///
/// As [`read`].
pub(crate) unsafe fn required<T: Sized>(options: *const T, what: &str) -> Result<T, Error> {
    if options.is_null() {
        return Err(Error::null(what));
    }
    // SAFETY: by this function's own contract.
    unsafe { read(options, what) }
}

/// Reads an array of `count` options; their distance is the first one's size.
///
/// # Safety
///
/// `options` is NULL, or the start of `count` structs, each as [`read`] wants it.
pub(crate) unsafe fn array<T: Sized>(
    options: *const T,
    count: usize,
    what: &str,
) -> Result<Vec<T>, Error> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if options.is_null() {
        return Err(Error::null(what));
    }
    // SAFETY: there is a first one.
    let stride = unsafe { stated(options, what)? };
    if count.checked_mul(stride).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        return Err(Error::argument(format!("{what} cannot be {count}: no memory has")));
    }
    let mut all = Vec::new();
    for index in 0..count {
        // SAFETY: within the array, by the contract.
        let one = unsafe { options.cast::<u8>().add(index * stride).cast::<T>() };
        // SAFETY: one of the structs.
        if unsafe { stated(one, what)? } != stride {
            let message = format!("{what}: all structs of an array have the same size");
            return Err(Error::argument(message));
        }
        // SAFETY: one of the structs.
        all.push(unsafe { read(one, what)? });
    }
    Ok(all)
}

/// Checks that an answer can be written, before the work is done.
///
/// # Safety
///
/// `out` is NULL, or readable for its first field.
pub(crate) unsafe fn check<T: Sized>(out: *const T, what: &str) -> Result<(), Error> {
    if out.is_null() {
        return Err(Error::null(what));
    }
    // SAFETY: not NULL.
    unsafe { stated(out, what) }.map(|_| ())
}

/// Writes an answer, as much of it as the caller's struct has; its size stays.
///
/// # Safety
///
/// `out` is writable for as many bytes as its first field says.
pub(crate) unsafe fn write<T: Sized>(out: *mut T, answer: T, what: &str) -> Result<(), Error> {
    if out.is_null() {
        return Err(Error::null(what));
    }
    // SAFETY: not NULL.
    let size = unsafe { stated(out, what)? };
    let (skip, known) = (mem::size_of::<usize>(), size.min(mem::size_of::<T>()));
    let (to, from) = (out.cast::<u8>(), (&raw const answer).cast::<u8>());
    // SAFETY: `known` bytes are in both; what is behind them is the caller's, up to `size`.
    unsafe {
        ptr::copy_nonoverlapping(from.add(skip), to.add(skip), known - skip);
        ptr::write_bytes(to.add(known), 0, size - known);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Now {
        size: usize,
        a: u64,
        b: u64,
    }

    // SAFETY: integers, the size first.
    unsafe impl Sized for Now {}

    #[repr(C)]
    struct Later {
        now: Now,
        c: u64,
    }

    #[test]
    fn older_and_newer_callers_are_understood() {
        let later = |c| Later { now: Now { size: size_of::<Later>(), a: 1, b: 2 }, c };
        let older = Now { size: 16, a: 1, b: u64::MAX };
        // SAFETY: the structs are as long as they say, or longer.
        unsafe {
            assert_eq!(read(&raw const older, "x").map(|now| (now.a, now.b)).unwrap(), (1, 0));
            let (newer, unknown) = (later(0), later(7));
            assert_eq!(read(&raw const newer.now, "x").map(|now| now.b).unwrap(), 2);
            assert_eq!(read(&raw const unknown.now, "x").err().unwrap().status(), -1);
            let none = Now { size: 0, a: 1, b: 2 };
            assert_eq!(read(&raw const none, "x").err().unwrap().status(), -1);
            assert_eq!(read::<Now>(ptr::null(), "x").map(|now| now.a).unwrap(), 0);
        }
    }

    #[test]
    fn answers_fill_what_the_caller_has() {
        let answer = Now { size: 0, a: 5, b: 6 };
        let mut older = Now { size: 16, a: 0, b: 9 };
        let mut newer = Later { now: Now { size: size_of::<Later>(), a: 0, b: 0 }, c: 9 };
        // SAFETY: as above.
        unsafe {
            write(&raw mut older, answer, "x").unwrap();
            write((&raw mut newer).cast::<Now>(), answer, "x").unwrap();
        }
        assert_eq!((older.size, older.a, older.b), (16, 5, 9));
        assert_eq!((newer.now.size, newer.now.b, newer.c), (size_of::<Later>(), 6, 0));
    }
}
