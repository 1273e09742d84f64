//! A reader of uncompressed bytes over a reader of compressed ones.

use alloc::boxed::Box;
use core::fmt;
use std::io::{Read, Result};

use super::parts::Parts;
use super::{BrokenStream, Compression, Decompressor};
use crate::io::Buffer;
use crate::limits::Limits;

/// How much is read at once, in bytes: what was read is in the cache when it is decompressed.
const BUFFER: usize = 256 << 10;

/// The uncompressed bytes of a stream, as [`Decompressor`] makes them.
///
/// It has no thread of its own, unless it is [given some](Self::threads): [`ingest`](super::super::ingest()) reads on
/// the caller's, and does the rest on others. An error about the stream is one of kind `InvalidData` with a [`BrokenStream`] in
/// it; errors of the reader below stay what they are.
///
/// # Examples
/// ```
/// # #[cfg(feature = "gzip")] {
/// use erofs_tarfs::ingest::IngestOptions;
/// use erofs_tarfs::io::{self, Compression, Uncompressed};
/// use erofs_tarfs::limits::Limits;
///
/// let empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // or a file
/// let tar = Uncompressed::new(Compression::of(&empty), &empty[..])?.limits(Limits::new().max_ratio(50));
/// let done = io::ingest("a.tar.gz".as_ref(), tar, IngestOptions::new(), None, &mut |_| {});
/// # let _ = done;
/// # }
/// # Ok::<(), erofs_tarfs::io::BrokenStream>(())
/// ```
pub struct Uncompressed<R> {
    reader: R,
    way: Way,
}

/// Who decompresses.
enum Way {
    /// The caller's thread: the decoder, what was read, and which bytes of that were not used yet.
    Alone(Box<Decompressor>, Buffer, core::ops::Range<usize>),
    /// Others too.
    Parts(Box<Parts>),
}

impl<R: Read> Uncompressed<R> {
    /// Decompresses a stream of this kind, at whose beginning the reader is.
    ///
    /// # Errors
    /// As [`Decompressor::new`].
    pub fn new(compression: Compression, reader: R) -> core::result::Result<Self, BrokenStream> {
        let stream = Decompressor::new(compression)?;
        Ok(Self { reader, way: Way::Alone(Box::new(stream), Buffer::new(BUFFER), 0..0) })
    }

    /// Sets how much longer than its compressed bytes it may be, as [`Decompressor::limits`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.way = match self.way {
            Way::Alone(stream, buffer, unused) => {
                Way::Alone(Box::new(stream.limits(limits)), buffer, unused)
            }
            Way::Parts(parts) => Way::Parts(Box::new(parts.limits(limits))),
        };
        self
    }

    /// Has so many threads at most decompress beside the caller's, where a stream has more than one member of gzip
    /// or frame of zstd: eStargz, zstd:chunked, pzstd and bgzip write them. 0 by default. They begin when there is
    /// something to do for them, and end with this. What comes out, and what is wrong, is the same with any number;
    /// nothing changes once something was read.
    ///
    /// The reader is then read up to 24 MiB ahead, and up to 32 MiB of what comes of it wait to be taken; each thread
    /// has a decoder, as [`Decompressor`] says.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        let way = match self.way {
            Way::Alone(stream, ..)
                if threads > 0 && stream.used() == 0 && Parts::has(stream.compression()) =>
            {
                Way::Parts(Box::new(Parts::new(&stream, threads)))
            }
            way => way,
        };
        Self { way, ..self }
    }

    /// Compressed bytes that were used so far.
    pub fn used(&self) -> u64 {
        match &self.way {
            Way::Alone(stream, ..) => stream.used(),
            Way::Parts(parts) => parts.used(),
        }
    }

    /// The reader below, which may be further than what was used.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: Read> Read for Uncompressed<R> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let (stream, buffer, unused) = match &mut self.way {
            Way::Alone(stream, buffer, unused) => (stream, buffer, unused),
            Way::Parts(parts) => return parts.read(&mut self.reader, buf),
        };
        loop {
            let done =
                stream.decompress(&buffer[unused.clone()], buf).map_err(BrokenStream::of_reader)?;
            unused.start += done.used;
            if done.made > 0 || buf.is_empty() {
                return Ok(done.made);
            }
            let read = self.reader.read(buffer)?;
            *unused = 0..read;
            if read == 0 {
                stream.finish().map_err(BrokenStream::of_reader)?;
                return Ok(0);
            }
        }
    }
}

impl<R> fmt::Debug for Uncompressed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, used) = match &self.way {
            Way::Alone(stream, ..) => ("alone", stream.used()),
            Way::Parts(parts) => ("parts", parts.used()),
        };
        f.debug_struct("Uncompressed").field(name, &used).finish_non_exhaustive()
    }
}
