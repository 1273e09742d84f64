//! Threads of a scope that are over when their handle is gone.
//!
//! The end of a scope waits for what its threads do, but not until the system has taken them down: a program could
//! unload the library under them.

use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// A thread, which is joined when this is dropped at the latest. A panic of it goes on here.
#[derive(Debug)]
pub(super) struct Joined<'s, T>(Option<ScopedJoinHandle<'s, T>>);

impl<'s, T> Joined<'s, T> {
    /// Of a thread that runs.
    pub(super) fn new(thread: ScopedJoinHandle<'s, T>) -> Self {
        Self(Some(thread))
    }

    /// What came of it.
    pub(super) fn join(mut self) -> T {
        let Some(thread) = self.0.take() else { unreachable!("it is taken once") };
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl<T> Drop for Joined<'_, T> {
    fn drop(&mut self) {
        let joined = self.0.take().map(ScopedJoinHandle::join);
        if let (Some(Err(panic)), false) = (joined, thread::panicking()) {
            resume_unwind(panic);
        }
    }
}
