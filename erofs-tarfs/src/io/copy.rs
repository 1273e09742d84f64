//! Bytes of one file into another: shared where the filesystem can, else copied by the kernel, else
//! by us.

use core::ops::AddAssign;
use std::io;

use super::{Buffer, Error, NamedFile};

/// Bytes that we copy at a time.
const PIECE: usize = 1 << 20;

/// Bytes that the kernel is asked for at a time, so that the observer hears of it.
#[cfg(target_os = "linux")]
const STEP: u64 = 256 << 20;

/// How bytes came from one file into another. All are there, however it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Bytes that both files share now (FICLONERANGE): nothing was read or written for them.
    pub cloned: u64,
    /// Bytes that the kernel was told to copy (`copy_file_range`). It may have shared them too.
    pub in_kernel: u64,
    /// Bytes that were read and written by us.
    pub by_hand: u64,
    /// Bytes that were at their places already, in a file that was [begun](super::Export::begun).
    pub in_place: u64,
}

impl Copied {
    /// All of them.
    pub const fn bytes(&self) -> u64 {
        self.cloned + self.in_kernel + self.by_hand + self.in_place
    }
}

impl AddAssign for Copied {
    fn add_assign(&mut self, other: Self) {
        self.cloned += other.cloned;
        self.in_kernel += other.in_kernel;
        self.by_hand += other.by_hand;
        self.in_place += other.in_place;
    }
}

/// Told of bytes that were dealt with; its error ends the work.
pub(super) type Tell<'a> = dyn FnMut(u64) -> Result<(), Error> + 'a;

/// Copies `bytes` bytes at byte `from.1` of a file to byte `to.1` of another, the cheapest way that
/// the system has:
///
/// 1. shared, where both are on one filesystem with reflinks (XFS, Btrfs) and the offsets are equal
///    modulo its block size; what is less than a block at the ends is copied;
/// 2. copied by the kernel;
/// 3. read and written.
///
/// Whatever one way refuses or leaves, for whatever reason, the next one does, and the last one's
/// errors are ours. `observer` is told of bytes as they are done.
///
/// ```
/// use erofs_tarfs::io::{NamedFile, copy_range};
///
/// let from = NamedFile::new("base.tar", tempfile::tempfile()?);
/// from.write_all_at(&[7; 10_240], 0)?;
/// let to = NamedFile::new("image.disk", tempfile::tempfile()?);
/// let copied = copy_range((&from, 512), (&to, 4096), 8192, &mut |_| {})?;
/// assert_eq!(copied.bytes(), 8192); // copied.cloned of them cost nothing
/// assert_eq!(to.bytes()?, 4096 + 8192);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Short`] if the source ends before, also if it is cut meanwhile; [`Error::Read`],
/// [`Error::Write`].
pub fn copy_range(
    from: (&NamedFile, u64),
    to: (&NamedFile, u64),
    bytes: u64,
    observer: &mut dyn FnMut(u64),
) -> Result<Copied, Error> {
    copy_telling(from, to, bytes, &mut |bytes| {
        observer(bytes);
        Ok(())
    })
}

/// [`copy_range`] that whoever is told of it can end.
pub(super) fn copy_telling(
    from: (&NamedFile, u64),
    to: (&NamedFile, u64),
    bytes: u64,
    tell: &mut Tell<'_>,
) -> Result<Copied, Error> {
    let (source, out) = (from.0, to.0);
    let needed = from.1.checked_add(bytes);
    let has = source.bytes()?;
    let Some(needed) = needed.filter(|needed| *needed <= has) else {
        let needed = needed.unwrap_or(u64::MAX);
        return Err(Error::Short { file: source.path().to_owned(), bytes: has, needed });
    };
    if to.1.checked_add(bytes).is_none() {
        let error = io::ErrorKind::InvalidInput.into();
        return Err(Error::Write { file: out.path().to_owned(), offset: to.1, error });
    }
    let mut job =
        Job { source, out, from: from.1, to: to.1, needed, tell, done: Copied::default() };
    job.run(bytes)?;
    Ok(job.done)
}

struct Job<'a> {
    source: &'a NamedFile,
    out: &'a NamedFile,
    /// Where the next byte comes from, and goes to.
    from: u64,
    to: u64,
    /// End of the bytes in the source.
    needed: u64,
    tell: &'a mut Tell<'a>,
    done: Copied,
}

impl Job<'_> {
    #[cfg(target_os = "linux")]
    fn run(&mut self, bytes: u64) -> Result<(), Error> {
        use std::os::unix::fs::MetadataExt;

        // Files share whole blocks of the file system. If that has another block size than it
        // tells, sharing fails, and the bytes are copied.
        let block = self.out.file().metadata().map_or(4096, |found| found.blksize());
        let block = if block.is_power_of_two() { block } else { 4096 };
        let (from, to) = (self.from + self.source.start(), self.to + self.out.start());
        if from % block == to % block {
            let first = from.next_multiple_of(block) - from;
            let whole = bytes.saturating_sub(first) / block * block;
            if whole > 0 {
                self.copy(first)?;
                self.share(whole)?;
                return self.copy(bytes - first - whole);
            }
        }
        self.copy(bytes)
    }

    #[cfg(not(target_os = "linux"))]
    fn run(&mut self, bytes: u64) -> Result<(), Error> {
        self.by_hand(bytes)
    }

    /// Shares whole blocks, or copies them.
    #[cfg(target_os = "linux")]
    fn share(&mut self, mut bytes: u64) -> Result<(), Error> {
        while bytes > 0 {
            let part = bytes.min(STEP);
            let from = (self.source.file(), self.source.start() + self.from);
            let to = (self.out.file(), self.out.start() + self.to);
            if super::clone::clone_range(from, to, part).is_err() {
                return self.copy(bytes);
            }
            self.done.cloned += part;
            self.advance(part)?;
            bytes -= part;
        }
        Ok(())
    }

    /// Lets the kernel copy, as far as it does.
    #[cfg(target_os = "linux")]
    fn copy(&mut self, mut bytes: u64) -> Result<(), Error> {
        use rustix::fs::copy_file_range;
        use rustix::io::Errno;

        while bytes > 0 {
            let (mut from, mut to) = (self.from + self.source.start(), self.to + self.out.start());
            let part = bytes.min(STEP) as usize;
            let (source, out) = (self.source.file(), self.out.file());
            match copy_file_range(source, Some(&mut from), out, Some(&mut to), part) {
                // The kernel copied nothing, though the file should have more: reading it tells
                // why.
                Ok(0) => break,
                Ok(copied) => {
                    let copied = (copied as u64).min(bytes);
                    self.done.in_kernel += copied;
                    self.advance(copied)?;
                    bytes -= copied;
                }
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        self.by_hand(bytes)
    }

    fn by_hand(&mut self, mut bytes: u64) -> Result<(), Error> {
        let mut buf = Buffer::new(bytes.min(PIECE as u64) as usize);
        while bytes > 0 {
            let part = &mut buf[..bytes.min(PIECE as u64) as usize];
            self.source.read_exact_at(part, self.from).map_err(|error| self.short(error))?;
            self.out.write_all_at(part, self.to)?;
            let part = part.len() as u64;
            self.done.by_hand += part;
            self.advance(part)?;
            bytes -= part;
        }
        Ok(())
    }

    fn advance(&mut self, bytes: u64) -> Result<(), Error> {
        self.from += bytes;
        self.to += bytes;
        (self.tell)(bytes)
    }

    /// The error of a source that has become shorter says so.
    fn short(&self, error: Error) -> Error {
        match (error, self.source.bytes()) {
            (Error::Read { file, error, .. }, Ok(bytes))
                if error.kind() == io::ErrorKind::UnexpectedEof && bytes < self.needed =>
            {
                Error::Short { file, bytes, needed: self.needed }
            }
            (error, _) => error,
        }
    }
}
