//! Who is told of the work, and can end it.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{self, Read};

use super::Step;
use crate::io::Error;
use crate::io::verity::{ReadAt, WriteAt};

/// Who is told of the bytes that an export has dealt with, on any thread, and the flag that ends it.
pub(super) struct Watch<'a> {
    pub(super) observer: Box<dyn Fn(Step, u64) + Sync + 'a>,
    /// The work ends when it is true.
    pub(super) cancel: Option<&'a AtomicBool>,
}

impl Watch<'_> {
    /// Tells of so many bytes more.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the work is to end.
    pub(super) fn tell(&self, step: Step, bytes: u64) -> Result<(), Error> {
        (self.observer)(step, bytes);
        self.check()
    }

    /// Fails if the work is to end.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    fn is_cancelled(&self) -> bool {
        is_set(self.cancel)
    }

    /// Why work ended with `error`: where it was cancelled, that is the reason, whatever the error
    /// says.
    pub(super) fn why(&self, error: Error) -> Error {
        if self.is_cancelled() { Error::Cancelled } else { error }
    }
}

/// Whether the flag by which the work is cancelled is set.
pub(super) fn is_set(cancel: Option<&AtomicBool>) -> bool {
    cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed))
}

/// Bytes of which each read is told to the watch.
pub(super) struct Watched<'a, T: ?Sized> {
    pub(super) bytes: &'a T,
    pub(super) step: Step,
    pub(super) watch: &'a Watch<'a>,
}

impl<T: ReadAt + ?Sized> ReadAt for Watched<'_, T> {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.bytes.read_exact_at(buf, offset)?;
        self.watch.tell(self.step, buf.len() as u64).map_err(io::Error::other)
    }
}

impl<T> Read for Watched<'_, T>
where
    for<'r> &'r T: Read,
{
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.bytes;
        let done = bytes.read(buf)?;
        self.watch.tell(self.step, done as u64).map_err(io::Error::other)?;
        Ok(done)
    }
}

/// A file from a byte of it on.
pub(super) struct Behind<'a, T>(pub(super) &'a T, pub(super) u64);

impl<T: WriteAt> WriteAt for Behind<'_, T> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, self.1 + offset)
    }
}
