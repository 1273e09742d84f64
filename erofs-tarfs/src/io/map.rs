//! Files mapped into memory: read without a copy, at a risk that the caller takes.
#![allow(unsafe_code)]

use core::ffi::c_void;
use core::ptr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

use super::verity::ReadAt;

/// The beginning of a file, mapped into memory. Sealing and verifying are up to a fifth faster than
/// by reading, where the file is in the page cache.
///
/// ```
/// use erofs_tarfs::io::{Map, verity::ReadAt};
///
/// let file = tempfile::tempfile()?;
/// std::io::Write::write_all(&mut &file, b"a tar")?;
/// // SAFETY: nobody else has this file, and nothing here writes to it any more.
/// let map = unsafe { Map::new(&file, 5)? };
/// assert_eq!(map.view(2, 3), Some(&b"tar"[..]));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Map {
    file: File,
    start: *const u8,
    len: usize,
}

// SAFETY: the mapping is only ever read, from whichever thread, and ends when its owner does.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Map {
    /// Maps the first `bytes` bytes of a file: at least one, and no more than it has.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] for a file that is shorter; what mmap(2) gives.
    ///
    /// # Safety
    /// While the map lives nobody, in this program or another, writes to these bytes of the file,
    /// or makes it shorter: that would change what is behind a reference, or end the process by
    /// SIGBUS.
    pub unsafe fn new(file: &File, bytes: u64) -> io::Result<Self> {
        if super::file::length(file)? < bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let len = usize::try_from(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let file = file.try_clone()?;
        // SAFETY: a new mapping at an address that the system chooses touches no other memory.
        let start =
            unsafe { mmap(ptr::null_mut(), len, ProtFlags::READ, MapFlags::SHARED, &file, 0)? };
        Ok(Self { file, start: start.cast(), len })
    }
}

impl ReadAt for Map {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(&self.file, buf, offset)
    }

    fn view(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let offset = usize::try_from(offset).ok()?;
        let end = offset.checked_add(len).filter(|&end| end <= self.len)?;
        // Whole pages of up to 64 KiB: advice wants to start at one.
        let first = offset & !0xffff;
        // SAFETY: `first` is at most `offset`, which is inside the mapping.
        let at = unsafe { self.start.add(first) } as *mut c_void;
        // SAFETY: the range is inside the mapping, and reading it in changes no byte. What cannot
        // be read (an I/O error, or no longer there) is an error here instead of a signal later.
        unsafe { madvise(at, end - first, Advice::LinuxPopulateRead) }.ok()?;
        // SAFETY: these bytes are inside the mapping, which lives as long as `self`, and by the
        // contract of `new` they do not change.
        Some(unsafe { core::slice::from_raw_parts(self.start.add(offset), len) })
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no reference into it outlives it.
        let _ = unsafe { munmap(self.start as *mut c_void, self.len) };
    }
}
