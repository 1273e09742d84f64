//! Tars that stream by, in one pass: written, hashed and indexed.

mod pieces;

use alloc::sync::Arc;
use std::io::Read;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use pieces::{Piece, Pool};

use super::{Error, NamedFile};
use crate::ingest::{Ingest, IngestOptions, Ingested};
use crate::tree;
use crate::verity::StreamHasher;

/// How many pieces the other thread may be behind.
const BEHIND: usize = 8;

/// Reads a tar to its end, padding included, and does with it what `options` want. Every byte also
/// goes to the file of `tee`, from that byte offset of it on: where the tar belongs in a disk, or 0.
///
/// What is to be hashed, which takes as long as all the rest, is hashed on a thread of its own if
/// the machine has two. Errors call the stream `name`. `observer` is told how many bytes were dealt
/// with. Of a pipe, [`Pipe`](super::Pipe) is the faster reader.
///
/// # Errors
/// [`Error::Read`], [`Error::Write`], [`Error::Layer`].
///
/// # Examples
/// ```
/// use erofs_tarfs::{ingest::IngestOptions, io};
///
/// let options = IngestOptions::new().tag_diff_id(true);
/// let tar = [0; 1024];
/// let done = io::ingest("a tar".as_ref(), &tar[..], options, None, &mut |_| {})?;
/// println!("diffID sha256:{}", done.diff_id.unwrap());
/// # Ok::<(), io::Error>(())
/// ```
pub fn ingest(
    name: &Path,
    reader: impl Read,
    options: IngestOptions,
    tee: Option<(&NamedFile, u64)>,
    observer: &mut dyn FnMut(u64),
) -> Result<Ingested, Error> {
    let two = thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    let (ingest, mut hasher) = match two {
        true => Ingest::split(options),
        false => (Ingest::new(options), StreamHasher::new(false, None)),
    };
    let mut stream = Stream { name, reader, tee, observer, pool: Pool::default(), ingest };
    match hasher.is_idle() {
        true => stream.read(|_| {})?,
        false => stream.hash(&mut hasher)?,
    }
    stream.ingest.finish_with(hasher.finish()).map_err(|error| layer(name, error))
}

fn layer(name: &Path, error: tree::Error) -> Error {
    Error::Layer { file: name.to_owned(), error }
}

/// A tar on its way.
struct Stream<'a, R> {
    name: &'a Path,
    reader: R,
    tee: Option<(&'a NamedFile, u64)>,
    observer: &'a mut dyn FnMut(u64),
    pool: Pool,
    ingest: Ingest,
}

impl<R: Read> Stream<'_, R> {
    /// Does it all, and hashes on another thread, if the system has one.
    fn hash(&mut self, hasher: &mut StreamHasher) -> Result<(), Error> {
        let apart = thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<Arc<Piece>>(BEHIND);
            let hash = || {
                for piece in receiver {
                    hasher.push(piece.bytes());
                }
            };
            let worker = thread::Builder::new().name("tarfs-hash".to_owned());
            let worker = worker.spawn_scoped(scope, hash).ok()?;
            let done = self.read(|piece| {
                // It fails only if the thread has panicked, which joining it tells.
                let _ = sender.send(Arc::clone(piece));
            });
            // The end of what is sent.
            drop(sender);
            match worker.join() {
                Ok(()) => Some(done),
                Err(panic) => resume_unwind(panic),
            }
        });
        apart.unwrap_or_else(|| self.read(|piece| hasher.push(piece.bytes())))
    }

    /// Reads, indexes and writes all there is. `share` gets each piece first.
    fn read(&mut self, mut share: impl FnMut(&Arc<Piece>)) -> Result<(), Error> {
        loop {
            let offset = self.ingest.position();
            let at = |error| Error::Read { file: self.name.to_owned(), offset, error };
            let piece = self.pool.read(&mut self.reader).map_err(at)?;
            let bytes = piece.bytes();
            if bytes.is_empty() {
                return Ok(());
            }
            share(&piece);
            self.ingest.push(bytes).map_err(|error| layer(self.name, error))?;
            if let Some((out, base)) = self.tee {
                out.write_all_at(bytes, base.saturating_add(offset))?;
            }
            (self.observer)(bytes.len() as u64);
        }
    }
}
