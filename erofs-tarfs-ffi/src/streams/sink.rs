//! Where bytes are written to: the caller's files and callbacks.
#![allow(unsafe_code, reason = "calls the callers' callbacks")]

use core::cell::Cell;
use core::ffi::c_void;
use std::fs::File;
use std::io::{Seek as _, Write as _};

use erofs_tarfs::io::verity::WriteAt as _;

use crate::abi::error::Error;
use crate::abi::sized::Sized;
use crate::streams::file::{Shifted, duplicate, unwritten};

/// Takes the len bytes at data, which belong at byte offset of the sink; 0 on success, anything
/// else ends the call, which returns it unchanged. It is called on the thread that made the call;
/// data is borrowed for its time.
pub type WriteFn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, offset: u64, data: *const u8, len: usize) -> i32>;
type Write = unsafe extern "C" fn(*mut c_void, u64, *const u8, usize) -> i32;

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
unsafe impl Sized for Sink {}

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
