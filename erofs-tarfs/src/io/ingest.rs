//! Tars that stream by, in one pass: written, hashed and indexed.

mod pieces;
mod stages;

use alloc::sync::Arc;
use core::num::NonZero;
use std::io::Read;
use std::path::Path;
use std::thread;

use pieces::{PIECE, Piece, Pool};
use stages::{Stages, Work};

use super::{Error, NamedFile};
use crate::ingest::{Ingest, IngestOptions, Ingested};
use crate::tree;
use crate::verity::StreamHasher;

/// Reads a tar to its end, padding included, and does with it what `options` want. Every byte also
/// goes to the file of `tee`, from that byte offset of it on: where the tar belongs in a disk, or 0.
///
/// If the machine has two cores and the tar is not short, the caller's thread reads, and so
/// decompresses where the reader does ([`Uncompressed`](super::Uncompressed)); others index, write and
/// hash: one on two cores, at most two. Of what it reads 4 MiB at most are on their way. A tar that
/// turns out to be none is an error as soon as the next 256 KiB are there, or its end.
///
/// Errors call the stream `name`. `observer` is told how many bytes were dealt with. Of a pipe,
/// [`Pipe`](super::Pipe) is the faster reader.
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
    let mut source = Source { name, reader, offset: 0, observer, pool: Pool::default() };
    let first = source.next()?;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    // What is shorter is done before a thread is there.
    let apart = cores > 1 && first.bytes().len() == PIECE;
    let (ingest, mut hasher) = match apart {
        true => Ingest::split(options),
        false => (Ingest::new(options), StreamHasher::new(false, None)),
    };
    let mut index = Index { name, tee, ingest };
    match apart {
        true => in_parallel(&mut source, first, cores, &mut index, &mut hasher)?,
        false => alone(&mut source, first, &mut |bytes| index.take(bytes))?,
    }
    index.ingest.finish_with(hasher.finish()).map_err(|error| layer(name, error))
}

fn layer(name: &Path, error: tree::Error) -> Error {
    Error::Layer { file: name.to_owned(), error }
}

/// All that is done with one piece after the other.
fn alone<R: Read>(
    source: &mut Source<'_, R>,
    mut piece: Arc<Piece>,
    work: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    while !piece.bytes().is_empty() {
        work(piece.bytes())?;
        source.done(&piece);
        drop(piece);
        piece = source.next()?;
    }
    Ok(())
}

/// The same, each stage for itself, on as many threads as there are cores.
fn in_parallel<R: Read>(
    source: &mut Source<'_, R>,
    first: Arc<Piece>,
    cores: usize,
    index: &mut Index<'_>,
    hasher: &mut StreamHasher,
) -> Result<(), Error> {
    let mut works: Vec<Work<'_>> = vec![Box::new(|bytes| index.take(bytes))];
    if !hasher.is_idle() {
        works.push(Box::new(|bytes| {
            hasher.push(bytes);
            Ok(())
        }));
    }
    let threads = works.len().min(cores - 1);
    let stages = Stages::new(works);
    let read = stages.run(threads, || share(source, first, &stages));
    // What was wrong with the tar stands before what could not be read of it.
    stages.finish().and(read)
}

/// Reads, and hands over what was read.
fn share<R: Read>(
    source: &mut Source<'_, R>,
    mut piece: Arc<Piece>,
    stages: &Stages<'_>,
) -> Result<(), Error> {
    // If one has failed, nobody takes any more.
    while !piece.bytes().is_empty() && stages.take(&piece) {
        source.done(&piece);
        drop(piece);
        piece = source.next()?;
    }
    Ok(())
}

/// A tar on its way.
struct Source<'a, R> {
    name: &'a Path,
    reader: R,
    offset: u64,
    observer: &'a mut dyn FnMut(u64),
    pool: Pool,
}

impl<R: Read> Source<'_, R> {
    /// The next piece; an empty one is the end.
    fn next(&mut self) -> Result<Arc<Piece>, Error> {
        let (offset, file) = (self.offset, self.name);
        let piece = self.pool.read(&mut self.reader);
        let piece = piece.map_err(|error| Error::Read { file: file.to_owned(), offset, error })?;
        self.offset = offset.saturating_add(piece.bytes().len() as u64);
        Ok(piece)
    }

    /// Tells of a piece that was dealt with, or will be.
    fn done(&mut self, piece: &Piece) {
        (self.observer)(piece.bytes().len() as u64);
    }
}

/// A tar that becomes a layer, and is written.
struct Index<'a> {
    name: &'a Path,
    tee: Option<(&'a NamedFile, u64)>,
    ingest: Ingest,
}

impl Index<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let offset = self.ingest.position();
        self.ingest.push(bytes).map_err(|error| layer(self.name, error))?;
        match self.tee {
            Some((out, base)) => out.write_all_at(bytes, base.saturating_add(offset)),
            None => Ok(()),
        }
    }
}
