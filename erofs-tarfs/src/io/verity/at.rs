//! Files and memory, read and written at offsets.

use std::io;
use std::sync::Mutex;

use super::threads::lock;

/// Bytes at offsets, read from several threads at once.
///
/// Files, [`NamedFile`](crate::io::NamedFile) and bytes in memory are read so already; for anything else it is
/// a few lines:
/// ```
/// use erofs_tarfs::io::verity::{HashingOptions, ReadAt, seal};
/// use erofs_tarfs::verity::{Geometry, HashPlacement, Hasher, Params};
/// use std::sync::Mutex;
///
/// /// Data without an end, of one byte.
/// struct Filled(u8);
///
/// impl ReadAt for Filled {
///     fn read_exact_at(&self, buf: &mut [u8], _offset: u64) -> std::io::Result<()> {
///         buf.fill(self.0);
///         Ok(())
///     }
/// }
///
/// let params = Params::nydus();
/// let geometry = Geometry::new(&params, 8192, HashPlacement::OwnFile)?;
/// let tree = Mutex::new(vec![0; geometry.end() as usize]);
/// let sealed = seal(&Filled(7), &tree, geometry, &HashingOptions::default())?;
/// assert_eq!(sealed.root(), Hasher::root(&params, &[7; 8192])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ReadAt: Sync {
    /// Fills `buf` with the bytes at byte `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if there are fewer; any other that reading gives.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// The `len` bytes at byte `offset` where they lie in memory, so that they need not be copied;
    /// `None` if they are not there, or not all.
    fn view(&self, _offset: u64, _len: usize) -> Option<&[u8]> {
        None
    }
}

/// Bytes at offsets, written from several threads at once.
///
/// ```
/// use erofs_tarfs::io::verity::WriteAt;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// /// Counts what would be written.
/// #[derive(Default)]
/// struct Count(AtomicU64);
///
/// impl WriteAt for Count {
///     fn write_all_at(&self, bytes: &[u8], _offset: u64) -> std::io::Result<()> {
///         self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
///         Ok(())
///     }
/// }
///
/// let count = Count::default();
/// count.write_all_at(&[0; 4096], 8192)?;
/// assert_eq!(count.0.into_inner(), 4096);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait WriteAt: Sync {
    /// Writes `bytes` at byte `offset`.
    ///
    /// # Errors
    /// Any that writing gives.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
}

#[cfg(unix)]
impl ReadAt for std::fs::File {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buf, offset)
    }
}

#[cfg(unix)]
impl WriteAt for std::fs::File {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }
}

impl ReadAt for [u8] {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        buf.copy_from_slice(self.view(offset, buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn view(&self, offset: u64, len: usize) -> Option<&[u8]> {
        self.get(usize::try_from(offset).ok()?..)?.get(..len)
    }
}

/// Memory of a fixed length: what does not fit is [`io::ErrorKind::WriteZero`].
impl WriteAt for Mutex<Vec<u8>> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut memory = lock(self);
        let at = usize::try_from(offset).ok();
        let rest = at.and_then(|at| memory.get_mut(at..));
        let to = rest.and_then(|rest| rest.get_mut(..bytes.len()));
        to.ok_or(io::ErrorKind::WriteZero)?.copy_from_slice(bytes);
        Ok(())
    }
}
