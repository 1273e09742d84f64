//! Tars that stream by, in one pass: written, hashed and indexed.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::num::NonZero;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::{Error, NamedFile};
use crate::ingest::{Ingest, Ingested, Options};
use crate::verity::{StreamHasher, Streamed};

/// Bytes that go through all stages before the next ones do.
const PIECE: usize = 256 << 10;
/// How many pieces the thread that hashes may be behind.
const BEHIND: usize = 8;

/// Reads a tar to its end, padding included, and does with it what `options` want. Every byte also
/// goes to the file of `tee`, from that byte offset of it on: where the tar belongs in a disk, or 0.
///
/// What is to be hashed, which takes as long as all the rest, is hashed on a thread of its own if
/// the machine has two. Errors call the stream `name`. `observer` is told how many bytes were dealt
/// with.
///
/// # Errors
/// [`Error::Read`], [`Error::Write`], [`Error::Layer`].
///
/// # Examples
/// ```
/// use erofs_tarfs::{ingest::Options, io};
///
/// let mut options = Options::default();
/// options.tag_diff_id = true;
/// let tar = [0; 1024];
/// let done = io::ingest("a tar".as_ref(), &tar[..], options, None, &mut |_| {})?;
/// println!("diffID sha256:{}", done.diff_id.unwrap());
/// # Ok::<(), io::Error>(())
/// ```
pub fn ingest(
    name: &Path,
    reader: impl Read,
    mut options: Options,
    tee: Option<(&NamedFile, u64)>,
    observer: &mut dyn FnMut(u64),
) -> Result<Ingested, Error> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let tag = options.tag_diff_id;
    let hasher = if cores > 1 { hasher(&mut options) } else { StreamHasher::new(false, None) };
    let mut run = Run { name, tee, observer, ingest: Ingest::new(options) };
    if hasher.is_idle() {
        run.read(reader, |_| {})?;
        return run.ingest.finish().map_err(|error| layer(name, error));
    }
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BEHIND);
        let hasher = scope.spawn(move || hash(hasher, &receiver));
        // Dropped with the closure: that ends the thread.
        run.read(reader, |piece| send(&sender, piece))?;
        drop(sender);
        let Streamed { digest, leaves } = match hasher.join() {
            Ok(streamed) => streamed,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        if let (true, Some(diff_id)) = (tag, digest) {
            run.ingest.set_tag(diff_id.to_string().as_bytes());
        }
        let mut done = run.ingest.finish().map_err(|error| layer(name, error))?;
        done.diff_id = digest.or(done.diff_id);
        done.leaves = leaves.or(done.leaves);
        Ok(done)
    })
}

fn layer(name: &Path, error: crate::tree::Error) -> Error {
    Error::Layer { file: name.to_owned(), error }
}

fn send(to: &SyncSender<Arc<Piece>>, piece: &Arc<Piece>) {
    // It fails only if the thread has panicked, which joining it tells.
    let _ = to.send(Arc::clone(piece));
}

/// Takes what another thread can hash out of the options.
fn hasher(options: &mut Options) -> StreamHasher {
    let digest = options.diff_id || options.tag_diff_id;
    let hasher = StreamHasher::new(digest, options.leaves.as_ref());
    (options.diff_id, options.tag_diff_id) = (false, false);
    if hasher.is_two() {
        return StreamHasher::new(true, None);
    }
    options.leaves = None;
    hasher
}

fn hash(mut hasher: StreamHasher, pieces: &Receiver<Arc<Piece>>) -> Streamed {
    while let Ok(piece) = pieces.recv() {
        hasher.push(piece.bytes());
    }
    hasher.finish()
}

struct Run<'a> {
    name: &'a Path,
    tee: Option<(&'a NamedFile, u64)>,
    observer: &'a mut dyn FnMut(u64),
    ingest: Ingest,
}

impl Run<'_> {
    /// Reads all there is; `share` gets each piece first.
    fn read(
        &mut self,
        mut reader: impl Read,
        mut share: impl FnMut(&Arc<Piece>),
    ) -> Result<(), Error> {
        let mut pool = VecDeque::new();
        loop {
            let mut piece = free(&mut pool);
            // Nobody else has it: that is what a free one is.
            let Some(room) = Arc::get_mut(&mut piece) else { continue };
            let offset = self.ingest.position();
            let at = |error| Error::Read { file: self.name.to_owned(), offset, error };
            room.fill(&mut reader).map_err(at)?;
            let bytes = piece.bytes();
            if bytes.is_empty() {
                return Ok(());
            }
            share(&piece);
            if let Some((out, base)) = self.tee {
                out.write_all_at(bytes, base.saturating_add(offset))?;
            }
            self.ingest.push(bytes).map_err(|error| layer(self.name, error))?;
            (self.observer)(bytes.len() as u64);
            pool.push_back(piece);
        }
    }
}

/// A piece that is not in use any more, or a new one.
fn free(pool: &mut VecDeque<Arc<Piece>>) -> Arc<Piece> {
    match pool.front().map(Arc::strong_count) {
        Some(1) => pool.pop_front(),
        _ => None,
    }
    .unwrap_or_else(|| Arc::new(Piece { room: vec![0; PIECE], len: 0 }))
}

/// Some bytes of the tar.
struct Piece {
    room: Vec<u8>,
    len: usize,
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        &self.room[..self.len]
    }

    /// Reads a whole piece, less at the end only.
    fn fill(&mut self, reader: &mut impl Read) -> std::io::Result<()> {
        self.len = 0;
        while self.len < PIECE {
            match reader.read(&mut self.room[self.len..]) {
                Ok(0) => break,
                Ok(more) => self.len += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
