//! Where the bytes of an image come from: memory, or a reader that is asked for them.

use super::{Error, ReadFault};
use alloc::borrow::Cow;
use alloc::vec;
use core::ops::Range;

/// The bytes of an image that are not all in memory: see [`Image::over`](super::Image::over).
///
/// Asked for are an inode, a block of a directory or a part of a chunk table at a time, so that a reader
/// for which each question is dear, such as one over a network, should keep the pages that it has read.
/// With `std`, [`io::NamedFile`](crate::io::NamedFile) is one.
///
/// ```
/// use erofs_tarfs::read::{Image, ReadFault, ReadImage};
/// # use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # let tree = doc::layer_of(&[("etc/motd", "hello\n")]);
/// # let flash = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
///
/// struct Flash(Vec<u8>);
///
/// impl ReadImage for Flash {
///     fn len(&self) -> Result<u64, ReadFault> {
///         Ok(self.0.len() as u64)
///     }
///
///     fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
///         let bytes = self.0.get(offset as usize..).and_then(|rest| rest.get(..buf.len()));
///         buf.copy_from_slice(bytes.ok_or_else(|| ReadFault::new("flash: read error"))?);
///         Ok(())
///     }
/// }
///
/// let flash = Flash(flash);
/// let image = Image::over(&flash)?;
/// assert_eq!(&image.entries(image.root())?[0].name[..], b"etc");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[allow(clippy::len_without_is_empty, reason = "an empty image is none, and nobody asks")]
pub trait ReadImage: Sync {
    /// Its length in bytes: asked once.
    ///
    /// # Errors
    /// Why that can't be known.
    fn len(&self) -> Result<u64, ReadFault>;

    /// Fills `buf` with the bytes from byte `offset` on. So many are there by [`len`](Self::len).
    ///
    /// # Errors
    /// Why they can't be read.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault>;
}

/// The bytes of an image, wherever they are.
#[derive(Clone, Copy)]
pub(super) enum Bytes<'a> {
    Memory(&'a [u8]),
    Reader { reader: &'a dyn ReadImage, len: u64 },
}

impl<'a> Bytes<'a> {
    pub(super) fn len(self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Reader { len, .. } => len,
        }
    }

    /// Whether there are `len` bytes from `offset` on.
    pub(super) fn has(self, offset: u64, len: u64) -> bool {
        offset.checked_add(len).is_some_and(|end| end <= self.len())
    }

    /// `len` bytes from `offset` on; `None` if there are fewer. Of a reader this takes as much memory: the
    /// caller asks for no more than a block, or what has a limit of its own.
    pub(super) fn get(self, offset: u64, len: u64) -> Result<Option<Cow<'a, [u8]>>, Error> {
        let (true, Ok(size)) = (self.has(offset, len), usize::try_from(len)) else {
            return Ok(None);
        };
        match self {
            Self::Memory(bytes) => Ok(slice(bytes, offset, size).map(Cow::Borrowed)),
            Self::Reader { .. } => {
                let mut piece = vec![0; size];
                self.fill(offset, &mut piece)?;
                Ok(Some(Cow::Owned(piece)))
            }
        }
    }

    /// Fills a buffer with the bytes from `offset` on, which are [there](Self::has).
    pub(super) fn fill(self, offset: u64, buf: &mut [u8]) -> Result<(), Error> {
        match self {
            Self::Memory(bytes) => {
                let bytes = slice(bytes, offset, buf.len()).ok_or_else(|| Error::Read {
                    offset,
                    fault: ReadFault::new("the image in memory ends before"),
                })?;
                buf.copy_from_slice(bytes);
            }
            Self::Reader { reader, .. } => {
                reader.read_at(offset, buf).map_err(|fault| Error::Read { offset, fault })?;
            }
        }
        Ok(())
    }
}

fn slice(bytes: &[u8], offset: u64, len: usize) -> Option<&[u8]> {
    bytes.get(usize::try_from(offset).ok()?..)?.get(..len)
}

/// A part of a piece, if it has that: borrowed of memory, copied of what was read.
pub(super) fn part<'a>(piece: &Cow<'a, [u8]>, range: Range<usize>) -> Option<Cow<'a, [u8]>> {
    Some(match piece {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(range)?),
        Cow::Owned(bytes) => Cow::Owned(bytes.get(range)?.to_vec()),
    })
}
