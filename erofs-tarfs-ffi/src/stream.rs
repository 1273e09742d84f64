//! The caller's files and callbacks, as places to read from and to write to.
#![allow(unsafe_code, reason = "calls the callers' callbacks")]

use core::cell::Cell;
use core::ffi::c_void;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::os::fd::BorrowedFd;

use erofs_tarfs::io::Pipe;
use erofs_tarfs::io::verity::{ReadAt, WriteAt};

use crate::error::Error;
use crate::sized::Sized;

/// Fills buf with the len bytes at byte offset of the source; 0 on success, anything else ends the
/// call, which returns it unchanged. It is called on the thread that made the call.
pub type ReadFn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, offset: u64, buf: *mut u8, len: usize) -> i32>;
type Read = unsafe extern "C" fn(*mut c_void, u64, *mut u8, usize) -> i32;

/// Takes the len bytes at data, which belong at byte offset of the sink; 0 on success, anything
/// else ends the call, which returns it unchanged. It is called on the thread that made the call;
/// data is borrowed for its time.
pub type WriteFn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, offset: u64, data: *const u8, len: usize) -> i32>;
type Write = unsafe extern "C" fn(*mut c_void, u64, *const u8, usize) -> i32;

/// Is told how many bytes were dealt with so far; 0 to go on, anything else cancels the call, which
/// returns it unchanged. It is called on the thread that made the call.
pub type ProgressFn = Option<unsafe extern "C" fn(ctx: *mut c_void, bytes: u64) -> i32>;

/// Bytes to be read: by a callback, or of a file.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Source {
    /// sizeof(tarfs_source).
    pub size: usize,
    /// Reads; if it is NULL, fd is read with pread.
    pub read: ReadFn,
    /// What read gets.
    pub ctx: *mut c_void,
    /// A file that can be read at any offset; looked at only if read is NULL. It stays the
    /// caller's, open until the call returns, and its file offset does not move.
    pub fd: i32,
    /// Added to every offset: byte 0 of what is read is here.
    pub offset: u64,
}

/// Where bytes are written to: a callback, or a file.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sink {
    /// sizeof(tarfs_sink).
    pub size: usize,
    /// Writes; if it is NULL, fd is written to.
    pub write: WriteFn,
    /// What write gets.
    pub ctx: *mut c_void,
    /// A file, written with pwrite, or a pipe or socket, which takes bytes in ascending order only;
    /// looked at only if write is NULL. It stays the caller's; an object that writes later holds a
    /// duplicate of it. Where zeros belong a file gets a hole, so it should be empty there.
    pub fd: i32,
    /// Added to every offset: byte 0 of what is written lands here.
    pub offset: u64,
}

// SAFETY: integers and pointers, the size first; a callback that is NULL is None.
unsafe impl Sized for Source {}
// SAFETY: as above.
unsafe impl Sized for Sink {}

/// A second handle on the caller's file, closed when it is dropped.
pub(crate) fn duplicate(fd: i32, what: &str) -> Result<File, Error> {
    if fd < 0 {
        return Err(Error::argument(format!("{what}: {fd} is no file descriptor")));
    }
    // SAFETY: it is not -1. The caller says that it is open; if not, duplicating it fails.
    let owned = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned();
    owned.map(File::from).map_err(|error| Error::io(&format!("use {what}, fd {fd}"), error))
}

/// A [`Source`] in use.
#[derive(Debug)]
pub(crate) struct Reader {
    from: From,
    offset: u64,
}

#[derive(Debug)]
enum From {
    Callback(Read, *mut c_void),
    File(File),
}

impl Reader {
    pub(crate) fn new(source: Source) -> Result<Self, Error> {
        let from = match source.read {
            Some(read) => From::Callback(read, source.ctx),
            None => From::File(duplicate(source.fd, "the source")?),
        };
        Ok(Self { from, offset: source.offset })
    }

    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<Shifted<'_>> {
        match &self.from {
            From::File(file) => Some(Shifted { file, offset: self.offset }),
            From::Callback(..) => None,
        }
    }

    /// One for each source.
    pub(crate) fn all(sources: Vec<Source>) -> Result<Vec<Self>, Error> {
        sources.into_iter().map(Self::new).collect()
    }

    pub(crate) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), Error> {
        let offset = offset.checked_add(self.offset);
        let offset =
            offset.ok_or_else(|| Error::argument("the source's offset: no file is so long"))?;
        match &self.from {
            From::Callback(read, ctx) => {
                // SAFETY: the caller says what the callback may be called with; `buf` is writable.
                match unsafe { read(*ctx, offset, buf.as_mut_ptr(), buf.len()) } {
                    0 => Ok(()),
                    status => Err(Error::callback(status)),
                }
            }
            From::File(file) => {
                file.read_exact_at(buf, offset).map_err(|error| unread(buf.len(), offset, error))
            }
        }
    }

    /// The next bytes of a pipe, or of a file from its file offset on; 0 at the end.
    pub(crate) fn read_next(file: &mut Pipe, at: u64, buf: &mut [u8]) -> Result<usize, Error> {
        loop {
            match file.read(buf) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => {
                    return done.map_err(|error| {
                        Error::io(&format!("read at offset {at} of the tar"), error)
                    });
                }
            }
        }
    }
}

/// Zeros for sinks that cannot have holes.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A [`Sink`] in use.
#[derive(Debug)]
pub(crate) struct Writer {
    to: To,
    offset: u64,
}

#[derive(Debug)]
enum To {
    Callback(Write, *mut c_void),
    File(File),
    /// A pipe, and the byte that it takes next.
    Pipe(File, Cell<u64>),
}

impl Writer {
    pub(crate) fn new(sink: Sink) -> Result<Self, Error> {
        let to = match sink.write {
            Some(write) => To::Callback(write, sink.ctx),
            None => {
                let mut file = duplicate(sink.fd, "the sink")?;
                match file.stream_position() {
                    Ok(_) => To::File(file),
                    Err(_) => To::Pipe(file, Cell::new(0)),
                }
            }
        };
        Ok(Self { to, offset: sink.offset })
    }

    /// The file, if it can be written at any offset.
    pub(crate) fn file(&self) -> Option<Shifted<'_>> {
        match &self.to {
            To::File(file) => Some(Shifted { file, offset: self.offset }),
            _ => None,
        }
    }

    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let at = offset.checked_add(self.offset);
        let at = at.ok_or_else(|| Error::argument("the sink's offset: no file is so long"))?;
        let failed = |error| unwritten(at, error);
        match &self.to {
            To::Callback(write, ctx) => {
                // SAFETY: the caller says what the callback may be called with.
                match unsafe { write(*ctx, at, bytes.as_ptr(), bytes.len()) } {
                    0 => Ok(()),
                    status => Err(Error::callback(status)),
                }
            }
            To::File(file) => file.write_all_at(bytes, at).map_err(failed),
            To::Pipe(_, next) if next.get() != offset => {
                let message = "the sink takes bytes in ascending order only, and these are not";
                Err(Error::argument(message))
            }
            To::Pipe(file, next) => {
                let mut file = file;
                file.write_all(bytes).map_err(failed)?;
                next.set(offset + bytes.len() as u64);
                Ok(())
            }
        }
    }

    /// Zeros, or a hole.
    pub(crate) fn zeros(&self, mut offset: u64, bytes: u64) -> Result<(), Error> {
        let end = offset + bytes;
        if let To::File(file) = &self.to {
            let failed = |error| Error::io(&format!("extend the sink to {end} bytes"), error);
            let end = self.offset.saturating_add(end);
            if file.metadata().map_err(failed)?.len() < end {
                file.set_len(end).map_err(failed)?;
            }
            return Ok(());
        }
        while offset < end {
            let len = (end - offset).min(ZEROS.len() as u64);
            self.write(offset, &ZEROS[..len as usize])?;
            offset += len;
        }
        Ok(())
    }
}

/// Why `bytes` bytes of a source were not read.
fn unread(bytes: usize, offset: u64, error: io::Error) -> Error {
    Error::io(&format!("read {bytes} bytes at offset {offset} of a source"), error)
}

/// Why a sink did not take something.
fn unwritten(offset: u64, error: io::Error) -> Error {
    Error::io(&format!("write at offset {offset} of the sink"), error)
}

/// A file that counts from an offset on.
pub(crate) struct Shifted<'a> {
    pub(crate) file: &'a File,
    pub(crate) offset: u64,
}

impl Shifted<'_> {
    /// Reads as [`Reader::read`] does, on any thread.
    pub(crate) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), Error> {
        let at = offset.saturating_add(self.offset);
        self.read_exact_at(buf, offset).map_err(|error| unread(buf.len(), at, error))
    }

    /// Writes as [`Writer::write`] does, on any thread.
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

/// A [`ProgressFn`] in use.
#[derive(Debug)]
pub(crate) struct Progress {
    call: ProgressFn,
    ctx: *mut c_void,
    bytes: u64,
}

impl Progress {
    pub(crate) fn new(call: ProgressFn, ctx: *mut c_void) -> Self {
        Self { call, ctx, bytes: 0 }
    }

    /// So many bytes more.
    pub(crate) fn add(&mut self, bytes: u64) -> Result<(), Error> {
        self.bytes += bytes;
        let Some(call) = self.call else { return Ok(()) };
        // SAFETY: the caller says what the callback may be called with.
        match unsafe { call(self.ctx, self.bytes) } {
            0 => Ok(()),
            status => Err(Error::callback(status)),
        }
    }
}
