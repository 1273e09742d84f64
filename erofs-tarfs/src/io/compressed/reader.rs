//! A reader of uncompressed bytes over a reader of compressed ones.

use core::fmt;
use std::io::{Error, ErrorKind, Read, Result};

use super::{BrokenStream, Compression, Decompressor};
use crate::io::Buffer;
use crate::limits::Limits;

/// How much is read at once, in bytes: what was read is in the cache when it is decompressed.
const BUFFER: usize = 256 << 10;

/// The uncompressed bytes of a stream, as [`Decompressor`] makes them.
///
/// It has no thread of its own: [`ingest`](super::super::ingest()) reads on the caller's, and does the
/// rest on others. An error about the stream is one of kind `InvalidData` with a [`BrokenStream`] in
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
    stream: Decompressor,
    buffer: Buffer,
    /// The bytes of the buffer that were not used yet.
    unused: core::ops::Range<usize>,
}

impl<R: Read> Uncompressed<R> {
    /// Decompresses a stream of this kind, at whose beginning the reader is.
    ///
    /// # Errors
    /// As [`Decompressor::new`].
    pub fn new(compression: Compression, reader: R) -> core::result::Result<Self, BrokenStream> {
        let stream = Decompressor::new(compression)?;
        Ok(Self { reader, stream, buffer: Buffer::new(BUFFER), unused: 0..0 })
    }

    /// Sets how much longer than its compressed bytes it may be, as [`Decompressor::limits`].
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { stream: self.stream.limits(limits), ..self }
    }

    /// Compressed bytes that were used so far.
    pub fn used(&self) -> u64 {
        self.stream.used()
    }

    /// The reader below, which may be further than what was used.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: Read> Read for Uncompressed<R> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let broken = |broken| Error::new(ErrorKind::InvalidData, broken);
        loop {
            let from = &self.buffer[self.unused.clone()];
            let done = self.stream.decompress(from, buf).map_err(broken)?;
            self.unused.start += done.used;
            if done.made > 0 || buf.is_empty() {
                return Ok(done.made);
            }
            let read = self.reader.read(&mut self.buffer)?;
            self.unused = 0..read;
            if read == 0 {
                self.stream.finish().map_err(broken)?;
                return Ok(0);
            }
        }
    }
}

impl<R> fmt::Debug for Uncompressed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uncompressed").field("stream", &self.stream).finish_non_exhaustive()
    }
}
