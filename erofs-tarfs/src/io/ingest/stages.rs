//! What is done with each piece of a stream, by no more threads than there are cores.
//!
//! Each stage takes the pieces in their order, one at a time, and may be some pieces behind the
//! reader. A thread that has nothing to do takes the next piece of the stage that is furthest behind.
//! So does the reader's when it is as far ahead as it may be. With a thread for each stage, two cores
//! would share three: the one that decompresses, for which all wait, would be held up by the others.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};

use super::pieces::Piece;
use crate::io::Error;
use crate::io::joined::Joined;

/// How many pieces a stage may be behind.
const BEHIND: usize = 8;

/// What a stage does with a piece.
pub(super) type Work<'w> = Box<dyn FnMut(&[u8]) -> Result<(), Error> + Send + 'w>;

/// All stages, for all threads.
pub(super) struct Stages<'w> {
    state: Mutex<State<'w>>,
    changed: Condvar,
}

struct State<'w> {
    stages: Vec<Stage<'w>>,
    /// No more pieces come.
    closed: bool,
    /// A stage has failed, or a thread has panicked: nothing more is done.
    broken: bool,
}

struct Stage<'w> {
    /// Pieces that are still to be done, in order.
    pieces: VecDeque<Arc<Piece>>,
    /// Taken away while a piece is done.
    work: Option<Work<'w>>,
    failed: Option<Error>,
}

/// A piece that one of the stages is to do.
struct Job<'w> {
    stage: usize,
    piece: Arc<Piece>,
    work: Work<'w>,
}

type Guard<'g, 'w> = MutexGuard<'g, State<'w>>;

impl<'w> Stages<'w> {
    /// Stages that have nothing to do yet.
    pub(super) fn new(works: Vec<Work<'w>>) -> Self {
        let stage = |work| Stage { pieces: VecDeque::new(), work: Some(work), failed: None };
        let stages = works.into_iter().map(stage).collect();
        let state = Mutex::new(State { stages, closed: false, broken: false });
        Self { state, changed: Condvar::new() }
    }

    /// Lets `reader` hand over pieces, while at most `threads` other threads work on them, and ends
    /// when all is done. Where the system has no threads, the reader's does everything.
    pub(super) fn run<T>(&self, threads: usize, reader: impl FnOnce() -> T) -> T {
        thread::scope(|scope| {
            let start = |_| {
                let thread = Builder::new().name("tarfs-ingest".to_owned());
                Some(Joined::new(thread.spawn_scoped(scope, || self.work()).ok()?))
            };
            let _workers: Vec<Joined<'_, ()>> = (0..threads).map_while(start).collect();
            // Dropped before the workers are waited for: if the reader panics, they end.
            let _alarm = Alarm(self);
            let read = reader();
            self.lock().closed = true;
            self.changed.notify_all();
            self.work();
            read
        })
    }

    /// Hands a piece to all stages, once none of them is too far behind. False if one has failed.
    pub(super) fn take(&self, piece: &Arc<Piece>) -> bool {
        let mut state = self.until(|state| state.stages.iter().all(|s| s.pieces.len() < BEHIND));
        if state.broken {
            return false;
        }
        for stage in &mut state.stages {
            stage.pieces.push_back(Arc::clone(piece));
        }
        drop(state);
        self.changed.notify_all();
        true
    }

    /// The error of the first stage that has one.
    pub(super) fn finish(self) -> Result<(), Error> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.stages.into_iter().find_map(|stage| stage.failed).map_or(Ok(()), Err)
    }

    /// Works until nothing is to be done and no more pieces come.
    fn work(&self) {
        let is_idle = |stage: &Stage<'_>| stage.work.is_some() && stage.pieces.is_empty();
        drop(self.until(|state| state.closed && state.stages.iter().all(is_idle)));
    }

    /// Works, and waits where there is nothing to do, until it is so or nothing more is done.
    fn until(&self, is_so: impl Fn(&State<'w>) -> bool) -> Guard<'_, 'w> {
        let mut state = self.lock();
        while !(state.broken || is_so(&state)) {
            state = match state.next() {
                Some(job) => {
                    drop(state);
                    self.one(job)
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state
    }

    /// Does what a stage has to do with one piece.
    fn one(&self, job: Job<'w>) -> Guard<'_, 'w> {
        let Job { stage, piece, mut work } = job;
        let alarm = Alarm(self);
        let done = work(piece.bytes());
        drop((piece, alarm));
        let mut state = self.lock();
        state.broken |= done.is_err();
        if let Some(stage) = state.stages.get_mut(stage) {
            (stage.work, stage.failed) = (Some(work), done.err());
        }
        self.changed.notify_all();
        state
    }

    fn lock(&self) -> Guard<'_, 'w> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'w> State<'w> {
    /// The next piece of the stage that is furthest behind.
    fn next(&mut self) -> Option<Job<'w>> {
        let waiting = self.stages.iter_mut().enumerate().filter(|(_, stage)| stage.work.is_some());
        let (number, stage) = waiting.max_by_key(|(_, stage)| stage.pieces.len())?;
        let piece = stage.pieces.pop_front()?;
        Some(Job { stage: number, piece, work: stage.work.take()? })
    }
}

/// Tells the others of a panic, which goes on in the thread that has it.
struct Alarm<'g, 'w>(&'g Stages<'w>);

impl Drop for Alarm<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().broken = true;
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
#[path = "stages_tests.rs"]
mod tests;
