//! Threads, and what they take their work from.

use core::num::NonZero;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use super::HashingOptions;
use crate::io::joined::Joined;

/// Runs `worker` on as many threads as `options` say, at most `most` and as the system has, this one among them.
pub(super) fn on_threads<R: Send>(
    options: &HashingOptions,
    most: u64,
    worker: &(impl Fn() -> R + Sync),
) -> Vec<R> {
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok());
    let threads = (threads.map_or(1, NonZero::get) as u64).min(most);
    std::thread::scope(|scope| {
        let start = |_| Some(Joined::new(Builder::new().spawn_scoped(scope, worker).ok()?));
        let helpers: Vec<_> = (1..threads).map_while(start).collect();
        let mut results = vec![worker()];
        results.extend(helpers.into_iter().map(Joined::join));
        results
    })
}

/// The lock, whoever had it before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
