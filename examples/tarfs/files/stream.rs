//! Files and standard input read from beginning to end, uncompressed.

use std::io::{self, Read};
use std::num::NonZero;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use erofs_tarfs::io::verity::ReadAt;
use erofs_tarfs::io::{Compression, NamedFile, Pipe, Uncompressed};
use erofs_tarfs::limits::Limits;

use crate::cli::fail::Done;
use crate::files::kind::{HEAD, Kind};

/// What standard input is called where it is a layer.
pub(crate) const STDIN: &str = "-";

/// Standard input, which can be read only once.
pub(crate) fn stdin() -> io::Result<impl Read> {
    static READ: AtomicBool = AtomicBool::new(false);
    if READ.swap(true, Ordering::Relaxed) {
        return Err(io::Error::other("can be read only once"));
    }
    Ok(Pipe::new(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Finds out by its first bytes what a stream is; gives it back with those bytes.
pub(crate) fn with_kind<'a>(
    mut reader: impl Read + Send + 'a,
) -> io::Result<(Box<dyn Read + Send + 'a>, Kind)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let kind = Kind::of(&head);
    if kind.is_disk() {
        let why =
            "is a disk with partitions: one of a file can be named, as FILE:1, none of a stream";
        return Err(io::Error::other(why));
    }
    Ok((Box::new(io::Cursor::new(head).chain(reader)), kind))
}

/// More threads for one stream help little, and each takes memory.
const MOST: usize = 8;

/// The uncompressed bytes of a reader that is one of so many `streams` at the same time; an error where they are too
/// many.
pub(crate) fn uncompressed<'a>(
    kind: Kind,
    reader: impl Read + Send + 'a,
    limits: Limits,
    streams: usize,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match kind.compression() {
        Compression::None => Box::new(reader),
        compression => {
            let stream = Uncompressed::new(compression, reader).map_err(io::Error::other)?;
            let cores = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
            // Two are busy anyway: with what decompresses, and with what becomes of it.
            let threads = Some(cores / streams.clamp(1, cores)).filter(|share| *share > 2);
            Box::new(stream.limits(limits).threads(threads.unwrap_or(0)))
        }
    })
}

/// The bytes of a file, from its beginning to the end that it has now.
pub(crate) fn reader(file: &NamedFile) -> Done<impl Read + use<>> {
    Ok(Reader { file: file.try_clone()?, at: 0, end: file.bytes()? })
}

/// A file read by offsets.
struct Reader {
    file: NamedFile,
    at: u64,
    end: u64,
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = (self.end - self.at).min(buf.len() as u64) as usize;
        ReadAt::read_exact_at(&self.file, &mut buf[..n], self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}
