//! SHA-256 of a stream, on a thread of its own: it takes as long as all the rest of a layer does.

use core::mem;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use erofs_tarfs::verity::Digest;
use sha2::{Digest as _, Sha256};

/// Bytes handed over at a time: with less, waking the thread costs more than it saves. A stream that
/// is shorter starts none.
const PIECE: usize = 1024 << 10;
/// How many pieces the thread may be behind.
const BEHIND: usize = 4;

/// Takes a stream in pieces of any size; they are copied.
#[derive(Debug, Default)]
pub(crate) struct Apart {
    current: Vec<u8>,
    hasher: Option<Hasher>,
}

impl Apart {
    /// Whether another thread would be a second one at work.
    pub(crate) fn helps() -> bool {
        thread::available_parallelism().is_ok_and(|count| count.get() > 1)
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.current.reserve_exact(PIECE - self.current.len());
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.current.len()));
            self.current.extend_from_slice(now);
            bytes = later;
            if self.current.len() == PIECE {
                let hasher = self.hasher.get_or_insert_with(Hasher::new);
                hasher.take(&mut self.current);
            }
        }
    }

    /// The digest of all bytes. The thread has ended then.
    pub(crate) fn finish(mut self) -> Digest {
        let mut hasher = self.hasher.take().unwrap_or_else(|| Hasher::Here(Sha256::new()));
        hasher.take(&mut self.current);
        hasher.finish()
    }
}

/// Who hashes.
#[derive(Debug)]
enum Hasher {
    /// The caller: there is no need of a thread, or the system has none.
    Here(Sha256),
    There(Worker),
}

impl Hasher {
    fn new() -> Self {
        Worker::new().map_or_else(|| Self::Here(Sha256::new()), Self::There)
    }

    /// Takes what is in `piece`, and leaves it empty.
    fn take(&mut self, piece: &mut Vec<u8>) {
        match self {
            Self::Here(sha) => {
                sha.update(&*piece);
                piece.clear();
            }
            Self::There(worker) => worker.take(piece),
        }
    }

    fn finish(self) -> Digest {
        match self {
            Self::Here(sha) => Digest(sha.finalize().into()),
            Self::There(worker) => worker.finish(),
        }
    }
}

#[derive(Debug)]
struct Worker {
    /// Gone when the stream has ended.
    pieces: Option<SyncSender<Vec<u8>>>,
    /// Buffers to fill again.
    spare: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Digest>>,
}

impl Worker {
    /// `None` if the system has no thread for it.
    fn new() -> Option<Self> {
        let (pieces, todo) = sync_channel::<Vec<u8>>(BEHIND);
        let (back, spare) = channel();
        let work = move || {
            let mut sha = Sha256::new();
            for mut piece in todo {
                sha.update(&piece);
                piece.clear();
                // Nobody fills it any more when the stream has ended.
                let _ = back.send(piece);
            }
            Digest(sha.finalize().into())
        };
        let thread = thread::Builder::new().name("tarfs-sha256".to_owned()).spawn(work).ok()?;
        Some(Self { pieces: Some(pieces), spare, thread: Some(thread) })
    }

    fn take(&mut self, piece: &mut Vec<u8>) {
        let next = self.spare.try_recv().unwrap_or_default();
        if let Some(pieces) = &self.pieces {
            // It fails only if the thread has panicked, which joining it tells.
            let _ = pieces.send(mem::replace(piece, next));
        }
    }

    fn finish(mut self) -> Digest {
        self.pieces = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(digest)) => digest,
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
    use super::*;

    #[test]
    fn any_length_in_any_pieces() {
        let bytes: Vec<u8> = (0..7 * PIECE + 3).map(|i| (i * 31 / 7) as u8).collect();
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, bytes.len()] {
            let wanted = Digest(Sha256::digest(&bytes[..len]).into());
            for piece in [511, 64 << 10, 3 << 20] {
                let mut apart = Apart::default();
                bytes[..len].chunks(piece).for_each(|piece| apart.push(piece));
                assert_eq!(apart.finish(), wanted, "{len} bytes in pieces of {piece}");
            }
        }
    }

    #[test]
    fn dropped_half_way() {
        let mut apart = Apart::default();
        apart.push(&vec![7; 5 * PIECE + 1]);
        assert!(matches!(apart.hasher, Some(Hasher::There(_))));
    }
}
