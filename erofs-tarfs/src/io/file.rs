//! Open files that know their names.

use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Error;
use super::verity::{ReadAt, WriteAt};
use crate::tree::Identity;

/// An open file and the name that errors call it by.
#[derive(Debug)]
pub struct NamedFile {
    path: PathBuf,
    file: File,
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
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(Error::Open { file: path, error }),
        }
    }

    /// Names a file that is open.
    pub fn new(path: impl Into<PathBuf>, file: File) -> Self {
        Self { path: path.into(), file }
    }

    /// The name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn bytes(&self) -> Result<u64, Error> {
        match self.file.metadata() {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) => Err(Error::Open { file: self.path.clone(), error }),
        }
    }

    /// The file itself, as the system tells it from others: what a layer's
    /// [identity](crate::tree::Identity) is while no digest of it is known.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn identity(&self) -> Result<Identity, Error> {
        match self.file.metadata() {
            Ok(found) => Ok(Identity::File { volume: found.dev(), number: found.ino() }),
            Err(error) => Err(Error::Open { file: self.path.clone(), error }),
        }
    }

    /// Fills `buf` with the bytes at byte `offset`.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> Result<(), Error> {
        let done = self.file.read_exact_at(buf, offset);
        done.map_err(|error| Error::Read { file: self.path.clone(), offset, error })
    }

    /// Writes `bytes` at byte `offset`.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        let done = self.file.write_all_at(bytes, offset);
        done.map_err(|error| Error::Write { file: self.path.clone(), offset, error })
    }

    /// Gives the file a length; what is new reads as zeros.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn set_bytes(&self, bytes: u64) -> Result<(), Error> {
        let done = self.file.set_len(bytes);
        done.map_err(|error| Error::Write { file: self.path.clone(), offset: bytes, error })
    }
}
