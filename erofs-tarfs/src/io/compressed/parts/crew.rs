//! Threads that decode parts ahead of who takes what comes of them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::super::{BrokenStream, Compression, Decompressor};
use super::cut::Part;
use super::pool::{PIECE, Pool, Room};

/// Uncompressed bytes that may wait to be taken, of all parts together.
const AHEAD: usize = 32 << 20;

/// What comes of a part, in this order.
pub(super) enum Made {
    Bytes(Piece),
    /// All of it was decoded so.
    End(Box<Decompressor>),
    Failed(BrokenStream),
}

/// Uncompressed bytes.
pub(super) struct Piece {
    room: Room,
    len: usize,
    /// Compressed bytes of the part that were used by then.
    pub(super) used: u64,
}

impl Piece {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.room[..self.len]
    }
}

/// A part that is decoded by whoever takes it first, and what came of it by then.
pub(super) struct Ordered {
    job: Open,
    pub(super) made: Receiver<Made>,
}

impl Ordered {
    /// Whether nobody has begun: then nobody will.
    pub(super) fn is_taken_back(&self) -> bool {
        first(&self.job).is_some()
    }
}

/// A job for the first who takes it.
type Open = Arc<Mutex<Option<Job>>>;

struct Job {
    part: Part,
    made: SyncSender<Made>,
}

/// The threads.
pub(super) struct Crew {
    compression: Compression,
    most: usize,
    /// Dropped before the threads are waited for.
    jobs: Option<Sender<Open>>,
    todo: Arc<Mutex<Receiver<Open>>>,
    pool: Pool,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// At most so many threads, each of which begins when there is something to do for it.
    pub(super) fn new(compression: Compression, most: usize, pool: Pool) -> Self {
        let (jobs, todo) = channel();
        let todo = Arc::new(Mutex::new(todo));
        Self { compression, most, jobs: Some(jobs), todo, pool, threads: Vec::new() }
    }

    /// How many parts may be on their way.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Has a part decoded that seems to begin with a member or frame.
    pub(super) fn order(&mut self, part: Part) -> Ordered {
        // Those that are on their way, the one that is taken from, and one more.
        let (sender, made) = sync_channel((AHEAD / PIECE / (self.most + 2)).max(1));
        let job = Arc::new(Mutex::new(Some(Job { part, made: sender })));
        if self.threads.len() < self.most {
            let (compression, todo) = (self.compression, Arc::clone(&self.todo));
            let pool = self.pool.clone();
            let work = move || work(compression, &todo, &pool);
            // Where the system has no more, those that are there do it, or who takes what comes of it.
            self.threads.extend(Builder::new().name("tarfs-unpack".to_owned()).spawn(work));
        }
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(Arc::clone(&job));
        }
        Ordered { job, made }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // What is decoded by then has nobody who takes it.
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Takes what only the first gets.
fn first<T>(of: &Mutex<Option<T>>) -> Option<T> {
    of.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Decodes parts until no more come.
fn work(compression: Compression, todo: &Mutex<Receiver<Open>>, pool: &Pool) {
    loop {
        let next = todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        if let Some(Job { part, made }) = first(&job) {
            let last = match decode(compression, part, &made, pool) {
                Ok(None) => continue,
                Ok(Some(stream)) => Made::End(Box::new(stream)),
                Err(broken) => Made::Failed(broken),
            };
            let _ = made.send(last);
        }
    }
}

/// Decodes a part; `None` if nobody wants it any more.
fn decode(
    compression: Compression,
    mut part: Part,
    made: &SyncSender<Made>,
    pool: &Pool,
) -> Result<Option<Decompressor>, BrokenStream> {
    let mut stream = Decompressor::of_part(compression)?;
    loop {
        let (mut room, mut len) = (pool.take(), 0);
        let mut is_all = false;
        while len < room.len() && !is_all {
            let done = stream.decompress(part.bytes(), &mut room[len..])?;
            len += done.made;
            part.pass(done.used);
            is_all = len < room.len() && part.len() == 0;
        }
        let piece = Piece { room, len, used: stream.used() };
        if len > 0 && made.send(Made::Bytes(piece)).is_err() {
            return Ok(None);
        }
        if is_all {
            return Ok(Some(stream));
        }
    }
}
