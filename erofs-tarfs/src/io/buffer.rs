//! Memory that is read into.

use core::fmt;
use core::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Memory to read into, which begins where a cache line does.
///
/// What the kernel reads it copies by one instruction, `rep movsb`. That takes about twice as long to an
/// address 16 bytes behind such a boundary, and five times 8 bytes behind it; and a large [`Vec`] begins 16
/// bytes behind a page, as the allocator's own words lie before it. Of an index of many small files, or a hash
/// tree made by one thread, reading is half of the work.
///
/// ```
/// use erofs_tarfs::io::Buffer;
/// use std::io::Read;
///
/// let mut buffer = Buffer::new(64 << 10); // zeros
/// assert_eq!(buffer.as_ptr().addr() % 64, 0);
/// let read = (&b"hello"[..]).read(&mut buffer)?;
/// assert_eq!(&buffer[..read], b"hello");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
pub struct Buffer {
    /// The buffer, and up to a line before it.
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// So many bytes, all zeros.
    pub fn new(len: usize) -> Self {
        // Pages that the system has zeroed already are not touched.
        let bytes = vec![0; len.saturating_add(LINE)];
        let start = bytes.as_ptr().addr().wrapping_neg() % LINE;
        Self { bytes, start, len }
    }

    /// Makes it so many bytes long. What it held is there still if it was as long or longer; else it is all zeros.
    pub fn set_len(&mut self, len: usize) {
        match self.start.saturating_add(len) <= self.bytes.len() {
            true => self.len = len,
            false => *self = Self::new(len),
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..][..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..][..self.len]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_on_a_line_and_is_as_long_as_was_said() {
        let mut buffer = Buffer::default();
        assert!(buffer.is_empty());
        for len in [1, 16 << 10, 100, 0, 512 << 10, (512 << 10) + LINE, 64] {
            buffer.set_len(len);
            assert_eq!(buffer.len(), len);
            assert!(len == 0 || buffer.as_ptr().addr() % LINE == 0, "{len}");
            buffer.fill(7);
        }
    }

    #[test]
    fn what_it_held_stays_where_it_fits_and_new_bytes_are_zeros() {
        let mut buffer = Buffer::new(100);
        assert!(buffer.iter().all(|byte| *byte == 0));
        buffer.fill(7);
        buffer.set_len(50);
        assert_eq!(&buffer[..], [7; 50]);
        buffer.set_len(1000);
        assert_eq!(&buffer[..], [0; 1000]);
    }
}
