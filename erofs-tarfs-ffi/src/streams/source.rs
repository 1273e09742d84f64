//! Where bytes are read from: the caller's files and callbacks.
#![allow(unsafe_code, reason = "calls the callers' callbacks")]

use core::ffi::c_void;
use std::fs::File;

use erofs_tarfs::io::verity::ReadAt as _;

use crate::abi::error::Error;
use crate::abi::sized::Sized;
use crate::streams::file::{Shifted, duplicate, unread};

/// Fills buf with the len bytes at byte offset of the source; 0 on success, anything else ends the
/// call, which returns it unchanged. It is called on the thread that made the call.
pub type ReadFn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, offset: u64, buf: *mut u8, len: usize) -> i32>;
type Read = unsafe extern "C" fn(*mut c_void, u64, *mut u8, usize) -> i32;

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

// SAFETY: integers and pointers, the size first; a callback that is NULL is None.
unsafe impl Sized for Source {}

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
}
