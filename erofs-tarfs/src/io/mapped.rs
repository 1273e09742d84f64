//! Disks that are not written: read, hashed or copied through the files that hold their bytes.

use std::io;

use super::copy::{Tell, copy_telling};
use super::verity::ReadAt;
use super::{Copied, Error, NamedFile};
use crate::outputs::FileExtents;

/// A disk over files: reads as the disk would. With [`verity::seal`](super::verity::seal) it is
/// hashed without being written.
///
/// ```
/// use erofs_tarfs::io::{Mapped, NamedFile, verity};
/// use erofs_tarfs::outputs::FileExtents;
/// use erofs_tarfs::verity::{Geometry, Params, HashPlacement};
/// use std::sync::Mutex;
///
/// let files = [NamedFile::new("metadata", tempfile::tempfile()?)];
/// files[0].write_all_at(&[7; 4096], 0)?;
/// let mut disk = FileExtents::default();
/// disk.push(4096, 0, 0)?; // from file number 0
/// disk.push_zeros(4096)?;
///
/// let geometry = Geometry::new(&Params::nydus(), disk.bytes(), HashPlacement::OwnFile)?;
/// let tree = Mutex::new(vec![0; geometry.end() as usize]);
/// let sealed = verity::seal(&Mapped::new(&disk, &files)?, &tree, geometry, &Default::default())?;
/// println!("{}", sealed.root());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mapped<'a> {
    extents: &'a FileExtents<usize>,
    files: &'a [NamedFile],
}

impl<'a> Mapped<'a> {
    /// A disk whose extents name files by their index in `files`.
    ///
    /// # Errors
    /// [`Error::MissingSource`] and [`Error::Short`] if a file is not there, or ends before an
    /// extent of it does; [`Error::Open`].
    pub fn new(extents: &'a FileExtents<usize>, files: &'a [NamedFile]) -> Result<Self, Error> {
        let lengths = files.iter().map(NamedFile::bytes).collect::<Result<Vec<_>, _>>()?;
        for extent in extents.list() {
            let Some((index, offset)) = extent.source else { continue };
            let missing = Error::MissingSource { device: index, sources: files.len() };
            let file = files.get(index).ok_or(missing)?;
            let (bytes, needed) = (lengths[index], offset.saturating_add(extent.bytes));
            if bytes < needed {
                return Err(Error::Short { file: file.path().to_owned(), bytes, needed });
            }
        }
        Ok(Self { extents, files })
    }

    /// Writes it to an empty file. Zeros become holes, and all else is [copied](super::copy_range) the
    /// cheapest way. Answers how it was.
    ///
    /// # Errors
    /// Those of [`copy_range`](super::copy_range).
    pub fn write(&self, out: &NamedFile, observer: &mut dyn FnMut(u64)) -> Result<Copied, Error> {
        self.write_telling(out, &mut |bytes| {
            observer(bytes);
            Ok(())
        })
    }

    /// [`write`](Self::write) that whoever is told of it can end.
    pub(super) fn write_telling(
        &self,
        out: &NamedFile,
        tell: &mut Tell<'_>,
    ) -> Result<Copied, Error> {
        out.set_bytes(self.extents.bytes())?;
        let mut copied = Copied::default();
        for extent in self.extents.list() {
            match extent.source {
                Some((index, from)) => {
                    let (from, to) = ((&self.files[index], from), (out, extent.offset));
                    copied += copy_telling(from, to, extent.bytes, tell)?;
                }
                None => tell(extent.bytes)?,
            }
        }
        Ok(copied)
    }
}

impl ReadAt for Mapped<'_> {
    fn read_exact_at(&self, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
        let list = self.extents.list();
        let first = list.partition_point(|extent| extent.offset + extent.bytes <= offset);
        for extent in &list[first..] {
            if buf.is_empty() {
                break;
            }
            let skipped = offset - extent.offset;
            let len = (extent.bytes - skipped).min(buf.len() as u64) as usize;
            let (part, rest) = buf.split_at_mut(len);
            match extent.source {
                None => part.fill(0),
                Some((index, at)) => {
                    let file = &self.files[index];
                    ReadAt::read_exact_at(file, part, at + skipped).map_err(|error| {
                        let text = format!("{}: {error}", file.path().display());
                        io::Error::new(error.kind(), text)
                    })?;
                }
            }
            offset += len as u64;
            buf = rest;
        }
        if buf.is_empty() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
