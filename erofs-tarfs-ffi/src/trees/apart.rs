//! A stream hashed on a thread of its own: that takes as long as all the rest of a layer does.

use core::mem;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use erofs_tarfs::verity::{StreamHasher, Streamed};

/// Bytes of a piece. With less, system calls and waking a thread cost more than gathering.
pub(crate) const PIECE: usize = 512 << 10;

/// How many pieces the thread may be behind.
const BEHIND: usize = 4;

/// Takes a stream in whole pieces, of which the last may be short.
#[derive(Debug)]
pub(crate) enum Apart {
    /// Nobody hashes yet.
    Idle(Box<StreamHasher>),
    /// The caller does: there is no need of a thread, or the system has none.
    Here(Box<StreamHasher>),
    /// A thread does.
    There(Worker),
}

impl Apart {
    /// Whether another thread would be a second one at work.
    pub(crate) fn helps() -> bool {
        thread::available_parallelism().is_ok_and(|count| count.get() > 1)
    }

    pub(crate) fn new(hasher: StreamHasher) -> Self {
        Self::Idle(Box::new(hasher))
    }

    /// Takes what is in `piece`, and leaves it empty. A whole piece is worth a thread.
    pub(crate) fn take(&mut self, piece: &mut Vec<u8>) {
        if let (Self::Idle(hasher), PIECE) = (&*self, piece.len()) {
            // Clones: they have hashed nothing so far, and a thread that there is not takes one.
            let worker = Worker::new(StreamHasher::clone(hasher));
            *self = worker.map_or_else(|| Self::Here(hasher.clone()), Self::There);
        }
        match self {
            Self::Idle(hasher) | Self::Here(hasher) => {
                hasher.push(piece);
                piece.clear();
            }
            Self::There(worker) => worker.take(piece),
        }
    }

    /// What came of all bytes. The thread has ended then.
    pub(crate) fn finish(self) -> Streamed {
        match self {
            Self::Idle(hasher) | Self::Here(hasher) => hasher.finish(),
            Self::There(worker) => worker.finish(),
        }
    }
}

/// A thread that hashes.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Gone when the stream has ended.
    pieces: Option<SyncSender<Vec<u8>>>,
    /// Buffers to fill again.
    spare: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Streamed>>,
}

impl Worker {
    /// `None` if the system has no thread for it.
    fn new(mut hasher: StreamHasher) -> Option<Self> {
        let (pieces, todo) = sync_channel::<Vec<u8>>(BEHIND);
        let (back, spare) = channel();
        let work = move || {
            for mut piece in todo {
                hasher.push(&piece);
                piece.clear();
                // Nobody fills it any more when the stream has ended.
                let _ = back.send(piece);
            }
            hasher.finish()
        };
        let thread = thread::Builder::new().name("tarfs-hash".to_owned()).spawn(work).ok()?;
        Some(Self { pieces: Some(pieces), spare, thread: Some(thread) })
    }

    fn take(&mut self, piece: &mut Vec<u8>) {
        let next = self.spare.try_recv().unwrap_or_default();
        if let Some(pieces) = &self.pieces {
            // It fails only if the thread has panicked, which joining it tells.
            let _ = pieces.send(mem::replace(piece, next));
        }
    }

    fn finish(mut self) -> Streamed {
        self.pieces = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(streamed)) => streamed,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => unreachable!("finish takes self, and the thread with it"),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            // A panic of it is of no interest any more.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use erofs_tarfs::verity::Params;

    use super::*;

    #[test]
    fn a_thread_for_whole_pieces_only() {
        for (len, thread) in [(PIECE - 1, false), (PIECE, true)] {
            let mut apart = Apart::new(StreamHasher::new(true, Some(&Params::nydus())));
            let mut piece = vec![7; len];
            apart.take(&mut piece);
            assert!(piece.is_empty());
            assert_eq!(matches!(apart, Apart::There(_)), thread);
            assert_eq!(apart.finish().leaves.unwrap().position(), len as u64);
        }
    }

    #[test]
    fn dropped_half_way() {
        let mut apart = Apart::new(StreamHasher::new(true, None));
        apart.take(&mut vec![7; PIECE]);
    }
}
