//! The caller's side of sources and sinks: memory behind callbacks, which may refuse to go on, and files.

use core::ffi::c_void;
use core::ptr;
use core::slice;
use std::fs::File;
use std::os::fd::AsRawFd;

use rustix::fs::{MemfdFlags, memfd_create};
use tarfs::streams::sink::Sink;
use tarfs::streams::source::Source;

/// What a callback answers that refuses to go on. The library has no such status of its own.
pub(crate) const REFUSED: i32 = 77;

/// Sinks take no more than this, so that no program takes all memory.
const MOST: usize = 4 << 20;

/// Bytes behind callbacks, or a file; it lives as long as the machine, since objects keep callbacks.
pub(crate) struct Stream {
    pub(crate) bytes: Vec<u8>,
    /// Calls until one is refused.
    pub(crate) calls: usize,
    pub(crate) refused: bool,
    file: Option<File>,
}

impl Stream {
    pub(crate) fn new(bytes: Vec<u8>, calls: usize, as_file: bool) -> Box<Self> {
        let file = as_file.then(|| {
            let file = File::from(memfd_create("stream", MemfdFlags::CLOEXEC).expect("a file"));
            std::os::unix::fs::FileExt::write_all_at(&file, &bytes, 0).expect("memory");
            file
        });
        Box::new(Self { bytes, calls, refused: false, file })
    }

    /// Counts a call; whether it is refused.
    pub(crate) fn refuses(&mut self) -> bool {
        self.calls = self.calls.saturating_sub(1);
        self.refused |= self.calls == 0;
        self.refused
    }

    /// What was written, of a sink.
    pub(crate) fn contents(&self) -> Vec<u8> {
        let Some(file) = &self.file else { return self.bytes.clone() };
        let len = file.metadata().expect("a file").len().min(MOST as u64);
        let mut bytes = vec![0; len as usize];
        std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0).expect("a file");
        bytes
    }

    fn fd(&self) -> i32 {
        self.file.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    pub(crate) fn source(self: &mut Box<Self>, offset: u64) -> Source {
        Source {
            size: size_of::<Source>(),
            read: if self.file.is_some() { None } else { Some(read) },
            ctx: ptr::from_mut::<Self>(self).cast(),
            fd: self.fd(),
            offset,
        }
    }

    pub(crate) fn sink(self: &mut Box<Self>, offset: u64) -> Sink {
        Sink {
            size: size_of::<Sink>(),
            write: if self.file.is_some() { None } else { Some(write) },
            ctx: ptr::from_mut::<Self>(self).cast(),
            fd: self.fd(),
            offset,
        }
    }
}

unsafe extern "C" fn read(ctx: *mut c_void, offset: u64, buf: *mut u8, len: usize) -> i32 {
    // SAFETY: the context is a stream that outlives all objects, and no other thread has it; the library
    // hands a buffer of this length.
    let (stream, buf) =
        unsafe { (&mut *ctx.cast::<Stream>(), slice::from_raw_parts_mut(buf, len)) };
    if stream.refuses() {
        return REFUSED;
    }
    let from = stream.bytes.get(offset as usize..).unwrap_or_default();
    let count = from.len().min(len);
    buf[..count].copy_from_slice(&from[..count]);
    buf[count..].fill(0);
    0
}

unsafe extern "C" fn write(ctx: *mut c_void, offset: u64, data: *const u8, len: usize) -> i32 {
    // SAFETY: as of `read`.
    let (stream, data) = unsafe { (&mut *ctx.cast::<Stream>(), slice::from_raw_parts(data, len)) };
    let end = offset.saturating_add(len as u64);
    if stream.refuses() || end > MOST as u64 {
        stream.refused = true;
        return REFUSED;
    }
    let at = offset as usize;
    stream.bytes.resize(stream.bytes.len().max(at + len), 0);
    stream.bytes[at..at + len].copy_from_slice(data);
    0
}

/// Progress: refuses after some calls.
pub(crate) unsafe extern "C" fn progress(ctx: *mut c_void, _bytes: u64) -> i32 {
    // SAFETY: as of `read`.
    let stream = unsafe { &mut *ctx.cast::<Stream>() };
    if stream.refuses() { REFUSED } else { 0 }
}
