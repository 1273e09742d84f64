//! The caller's file descriptors, as files.
#![allow(unsafe_code, reason = "borrows the callers' file descriptors")]

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::BorrowedFd;

use erofs_tarfs::io::Pipe;
use erofs_tarfs::io::verity::{ReadAt, WriteAt};

use crate::abi::error::Error;

/// A second handle on the caller's file, closed when it is dropped.
pub(crate) fn duplicate(fd: i32, what: &str) -> Result<File, Error> {
    if fd < 0 {
        return Err(Error::argument(format!("{what}: {fd} is no file descriptor")));
    }
    // SAFETY: it is not -1. The caller says that it is open; if not, duplicating it fails.
    let owned = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned();
    owned.map(File::from).map_err(|error| Error::io(&format!("use {what}, fd {fd}"), error))
}

/// The next bytes of a pipe, or of a file from its file offset on; 0 at the end.
pub(crate) fn read_next(file: &mut Pipe, at: u64, buf: &mut [u8]) -> Result<usize, Error> {
    loop {
        match file.read(buf) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => {
                return done
                    .map_err(|error| Error::io(&format!("read at offset {at} of the tar"), error));
            }
        }
    }
}

/// A file that counts from an offset on.
pub(crate) struct Shifted<'a> {
    pub(crate) file: &'a File,
    pub(crate) offset: u64,
}

impl Shifted<'_> {
    /// Reads as `Reader::read` does, on any thread.
    pub(crate) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), Error> {
        let at = offset.saturating_add(self.offset);
        self.read_exact_at(buf, offset).map_err(|error| unread(buf.len(), at, error))
    }

    /// Writes as `Writer::write` does, on any thread.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let at = offset.saturating_add(self.offset);
        self.write_all_at(bytes, offset).map_err(|error| unwritten(at, error))
    }
}

impl ReadAt for Shifted<'_> {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let at = offset.checked_add(self.offset).ok_or(io::ErrorKind::InvalidInput)?;
        self.file.read_exact_at(buf, at)
    }
}

impl WriteAt for Shifted<'_> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let at = offset.checked_add(self.offset).ok_or(io::ErrorKind::InvalidInput)?;
        self.file.write_all_at(bytes, at)
    }
}

/// Why `bytes` bytes of a source were not read.
pub(super) fn unread(bytes: usize, offset: u64, error: io::Error) -> Error {
    Error::io(&format!("read {bytes} bytes at offset {offset} of a source"), error)
}

/// Why a sink did not take something.
pub(super) fn unwritten(offset: u64, error: io::Error) -> Error {
    Error::io(&format!("write at offset {offset} of the sink"), error)
}
