//! Progress of several threads.
#![allow(unsafe_code, reason = "shares the caller's callback")]

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use crate::abi::error::Error;
use crate::streams::progress::Progress;

/// What tells the caller's progress callback of the work of several threads, and stops them all if
/// it says so.
pub(crate) struct Watch<'a> {
    thread: ThreadId,
    stopped: AtomicBool,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    progress: &'a mut Progress,
    /// Bytes that other threads dealt with since the callback was called.
    waiting: u64,
}

// SAFETY: what is not `Sync` is the caller's context pointer in `Progress`. It is only handed to
// the callback, and only on `thread`, the one that made the call; other threads touch `waiting`.
unsafe impl Sync for Watch<'_> {}

impl<'a> Watch<'a> {
    pub(crate) fn new(progress: &'a mut Progress) -> Self {
        let state = Mutex::new(State { progress, waiting: 0 });
        Self { thread: thread::current().id(), stopped: AtomicBool::new(false), state }
    }

    /// So many bytes more, by any thread.
    pub(crate) fn add(&self, bytes: u64) -> Result<(), Error> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Error::order("the call was cancelled"));
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += bytes;
        if thread::current().id() == self.thread {
            let bytes = core::mem::take(&mut state.waiting);
            if let Err(stop) = state.progress.add(bytes) {
                self.stopped.store(true, Ordering::Relaxed);
                return Err(stop);
            }
        }
        Ok(())
    }
}
