//! Open files that know their names.

use alloc::sync::Arc;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Error;
use super::verity::{ReadAt, WriteAt};
use crate::tree::Identity;

/// An open file, or a range of one, and the name that errors call it by. Regular files and block
/// devices.
///
/// ```
/// use erofs_tarfs::io::NamedFile;
///
/// let file = NamedFile::new("image.disk", tempfile::tempfile()?);
/// file.write_all_at(b"0123456789", 0)?;
/// // A part of it, as a partition is one: offsets count from its start.
/// let part = file.range(3, 4)?;
/// let mut bytes = [0; 4];
/// part.read_exact_at(&mut bytes, 0)?;
/// assert_eq!(&bytes, b"3456");
/// let error = part.read_exact_at(&mut bytes, 1).unwrap_err();
/// assert!(error.to_string().contains("image.disk"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NamedFile {
    path: PathBuf,
    file: Arc<File>,
    /// Byte of the file at which it starts, and its length, if it is a range.
    range: Option<(u64, u64)>,
}

impl NamedFile {
    /// Opens a file to be read at any offset.
    ///
    /// # Errors
    /// [`Error::Open`], of a named pipe too: it has no offsets, and to wait for somebody who writes
    /// to it could take for ever.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        // To files that are no pipes the flag makes no difference.
        let at_once = OFlags::NONBLOCK.bits().cast_signed();
        let opened = OpenOptions::new().read(true).custom_flags(at_once).open(&path);
        let opened = opened.and_then(|file| match file.metadata()?.file_type().is_fifo() {
            true => Err(std::io::Error::other("is a pipe, not a regular file")),
            false => Ok(file),
        });
        match opened {
            Ok(file) => Ok(Self::new(path, file)),
            Err(error) => Err(Error::Open { file: path, error }),
        }
    }

    /// Names a file that is open.
    pub fn new(path: impl Into<PathBuf>, file: File) -> Self {
        Self { path: path.into(), file: Arc::new(file), range: None }
    }

    /// A range of it, such as a partition of a disk. Offsets count from its start, those in errors
    /// from the file's.
    ///
    /// # Errors
    /// [`Error::Short`] if the range ends behind the file; [`Error::Open`].
    pub fn range(self, start: u64, bytes: u64) -> Result<Self, Error> {
        let (has, needed) = (self.bytes()?, start.saturating_add(bytes));
        if needed > has {
            return Err(Error::Short { file: self.path, bytes: has, needed });
        }
        let start = self.start() + start;
        Ok(Self { range: Some((start, bytes)), ..self })
    }

    /// Whether it is a block device, and not a range of one. A device keeps its length, and may be
    /// longer than what was written to it.
    pub fn is_device(&self) -> bool {
        let found = self.file.metadata().map(|found| found.file_type().is_block_device());
        self.range.is_none() && found.unwrap_or(false)
    }

    /// Whether it is a range of a file.
    pub fn is_range(&self) -> bool {
        self.range.is_some()
    }

    /// Byte of the [`file`](Self::file) at which it starts.
    pub fn start(&self) -> u64 {
        self.range.map_or(0, |(start, _)| start)
    }

    /// The same file without the range.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { range: None, ..self }
    }

    /// A second handle, of the same range.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn try_clone(&self) -> Result<Self, Error> {
        Ok(self.named(self.path.clone()))
    }

    /// The same file, or the same range of it, under another name for errors.
    ///
    /// ```
    /// use erofs_tarfs::io::NamedFile;
    ///
    /// let file = NamedFile::new("scratch", tempfile::tempfile()?);
    /// file.write_all_at(b"0123456789", 0)?;
    /// let part = file.range(3, 4)?.named("a layer");
    /// assert_eq!((part.path().to_str(), part.start(), part.bytes()?), (Some("a layer"), 3, 4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn named(&self, path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), file: Arc::clone(&self.file), range: self.range }
    }

    /// The file that it is or is a range of, as the system tells it from others, and the byte of it
    /// at which it starts; `None` of what is no regular file.
    pub(super) fn place(&self) -> Result<Option<(u64, u64, u64)>, Error> {
        match self.file.metadata() {
            Ok(found) if !found.is_file() => Ok(None),
            Ok(found) => Ok(Some((found.dev(), found.ino(), self.start()))),
            Err(error) => Err(Error::Open { file: self.path.clone(), error }),
        }
    }

    /// The name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, all of it: what reads it adds [`start`](Self::start) to offsets.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn bytes(&self) -> Result<u64, Error> {
        if let Some((_, bytes)) = self.range {
            return Ok(bytes);
        }
        match length(&self.file) {
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(Error::Open { file: self.path.clone(), error }),
        }
    }

    /// The file itself, as the system tells it from others: what a layer's
    /// [identity](crate::tree::Identity) is while no digest of it is known. Of a range nothing is.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn identity(&self) -> Result<Identity, Error> {
        if self.range.is_some() {
            return Ok(Identity::Unknown);
        }
        match self.file.metadata() {
            // One device may have several nodes; no volume has this number.
            Ok(found) if found.file_type().is_block_device() => {
                Ok(Identity::File { volume: u64::MAX, number: found.rdev() })
            }
            Ok(found) => Ok(Identity::File { volume: found.dev(), number: found.ino() }),
            Err(error) => Err(Error::Open { file: self.path.clone(), error }),
        }
    }

    /// Fills `buf` with the bytes at byte `offset`.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> Result<(), Error> {
        let done = ReadAt::read_exact_at(self, buf, offset);
        let offset = offset.saturating_add(self.start());
        done.map_err(|error| Error::Read { file: self.path.clone(), offset, error })
    }

    /// Writes `bytes` at byte `offset`.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        let done = WriteAt::write_all_at(self, bytes, offset);
        let offset = offset.saturating_add(self.start());
        done.map_err(|error| Error::Write { file: self.path.clone(), offset, error })
    }

    /// Gives the file a length in bytes. If it becomes longer, the new part reads as zeros.
    ///
    /// # Errors
    /// [`Error::Write`], of a range or a device of another length too.
    pub fn set_bytes(&self, bytes: u64) -> Result<(), Error> {
        let done = match self.range {
            Some((_, has)) if has == bytes => Ok(()),
            Some(_) => Err(io::ErrorKind::InvalidInput.into()),
            None if length(&self.file).is_ok_and(|has| has == bytes) => Ok(()),
            None => self.file.set_len(bytes),
        };
        done.map_err(|error| Error::Write { file: self.path.clone(), offset: bytes, error })
    }
}

impl NamedFile {
    /// Where `len` bytes at `offset` are in the file.
    fn at(&self, offset: u64, len: usize) -> io::Result<u64> {
        let Some((start, bytes)) = self.range else { return Ok(offset) };
        match offset.checked_add(len as u64) {
            Some(end) if end <= bytes => Ok(start + offset),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl ReadAt for NamedFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, self.at(offset, buf.len())?)
    }
}

impl WriteAt for NamedFile {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, self.at(offset, bytes.len())?)
    }
}

/// The length of a file in bytes. A block device tells it where one seeks to its end only.
pub(super) fn length(file: &File) -> io::Result<u64> {
    let found = file.metadata()?;
    if !found.file_type().is_block_device() {
        return Ok(found.len());
    }
    let mut file = file;
    let before = file.stream_position()?;
    let bytes = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(before))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten() -> NamedFile {
        let path = std::env::temp_dir().join(format!("tarfs-range-{}", std::process::id()));
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        file.write_all_at(b"0123456789", 0).unwrap();
        NamedFile::new("ten", file)
    }

    #[test]
    fn a_range_is_all_that_is_read_and_written() {
        let range = ten().range(3, 4).unwrap();
        assert_eq!((range.bytes().unwrap(), range.start()), (4, 3));
        let mut buf = [0; 4];
        NamedFile::read_exact_at(&range, &mut buf, 0).unwrap();
        assert_eq!(&buf, b"3456");
        for (offset, len) in [(1, 4), (4, 1), (5, 1), (u64::MAX, 1), (u64::MAX - 2, 4)] {
            let read = NamedFile::read_exact_at(&range, &mut buf[..len], offset);
            assert!(read.is_err(), "{offset} {len}");
            assert!(range.try_clone().unwrap().write_all_at(&buf[..len], offset).is_err());
        }
        NamedFile::write_all_at(&range, b"x", 3).unwrap();
        assert!(range.set_bytes(5).is_err() && range.set_bytes(4).is_ok());
        // A range of a range, and the file again.
        let inner = range.range(1, 3).unwrap();
        assert_eq!((inner.start(), inner.identity().unwrap()), (4, Identity::Unknown));
        assert!(inner.try_clone().unwrap().range(2, 2).is_err());
        let whole = inner.whole();
        let mut all = [0; 10];
        NamedFile::read_exact_at(&whole, &mut all, 0).unwrap();
        assert_eq!(&all, b"012345x789");
        assert!(ten().range(7, 4).is_err() && ten().range(u64::MAX, 2).is_err());
    }
}
