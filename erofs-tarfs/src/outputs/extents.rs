//! Which range of which file lies where in a disk.

use super::{Error, SECTOR};
use crate::image::{DiskPlan, SegmentSource};
use crate::layout::Layout;
use crate::verity::Geometry;
use alloc::vec::Vec;

/// A disk as ranges of files, and zeros, front to back and without gaps.
///
/// `F` is what the caller calls a file: a name, or an index in a list.
///
/// ```
/// use erofs_tarfs::outputs::FileExtents;
///
/// let mut disk = FileExtents::default();
/// disk.push(4096, "metadata", 0)?;
/// disk.push(2048, "base.tar", 0)?;
/// disk.push_zeros(2048)?;
/// disk.push(1024, "app.tar", 0)?;
/// let at: Vec<_> = disk.list().iter().map(|extent| (extent.offset, extent.source)).collect();
/// assert_eq!(at[2..], [(6144, None), (8192, Some(("app.tar", 0)))]); // bytes
/// // Where a form has no zeros, a hole at the end of some file stands for them.
/// let backed = disk.back_zeros("metadata", 4096, 2048)?;
/// assert_eq!(backed.list()[2].source, Some(("metadata", 4096)));
/// # Ok::<(), erofs_tarfs::outputs::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileExtents<F> {
    list: Vec<FileExtent<F>>,
    bytes: u64,
}

/// A range of a disk: at least one byte.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileExtent<F> {
    /// Byte of the disk at which it starts.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The file, and the byte of it at which the range starts; `None` for zeros.
    pub source: Option<(F, u64)>,
}

/// What of a disk is in a file. Exhaustive: whoever says where things are says it of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Held {
    /// The metadata in one piece: the bytes of [`image::bootstrap`](crate::image::bootstrap()),
    /// wherever in the disk its parts belong.
    Metadata,
    /// The file of the device at this index of [`Layout::devices`].
    Device(usize),
}

impl<F> Default for FileExtents<F> {
    fn default() -> Self {
        Self { list: Vec::new(), bytes: 0 }
    }
}

impl<F> FileExtents<F> {
    /// Ascending, each starting where the one before ends. No two that follow one another could be
    /// one.
    pub fn list(&self) -> &[FileExtent<F>] {
        &self.list
    }

    /// Length of the disk in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The longest range of zeros, in bytes: what [`back_zeros`](Self::back_zeros) needs.
    pub fn longest_zeros(&self) -> u64 {
        let zeros = self.list.iter().filter(|extent| extent.source.is_none());
        zeros.map(|extent| extent.bytes).max().unwrap_or(0)
    }

    /// Makes it `bytes` longer; answers where the new part starts.
    fn grow(&mut self, bytes: u64) -> Result<u64, Error> {
        let start = self.bytes;
        self.bytes = start.checked_add(bytes).ok_or(Error::TooLarge { bytes })?;
        Ok(start)
    }

    /// Puts zeros at the end.
    ///
    /// # Errors
    /// [`Error::TooLarge`] past 2^64 bytes.
    pub fn push_zeros(&mut self, bytes: u64) -> Result<(), Error> {
        let offset = self.grow(bytes)?;
        match self.list.last_mut() {
            _ if bytes == 0 => {}
            Some(last) if last.source.is_none() => last.bytes += bytes,
            _ => self.list.push(FileExtent { offset, bytes, source: None }),
        }
        Ok(())
    }

    /// Calls the files by other names.
    pub fn map<G>(self, mut name: impl FnMut(F) -> G) -> FileExtents<G> {
        let list = self.list.into_iter().map(|FileExtent { offset, bytes, source }| FileExtent {
            offset,
            bytes,
            source: source.map(|(file, at)| (name(file), at)),
        });
        FileExtents { list: list.collect(), bytes: self.bytes }
    }
}

impl<F: PartialEq> FileExtents<F> {
    /// The extents of a disk's plan. `place` says in which file something is, and at which byte
    /// it starts there.
    ///
    /// # Errors
    /// [`Error::TooLarge`] past 2^64 bytes, of the disk or of a file; [`Error::Copied`].
    pub fn of_disk(
        plan: &DiskPlan,
        layout: &Layout<'_>,
        mut place: impl FnMut(Held) -> (F, u64),
    ) -> Result<Self, Error> {
        let mut extents = Self::default();
        for segment in &plan.segments {
            let (held, at) = match segment.source {
                SegmentSource::Head => (Held::Metadata, 0),
                SegmentSource::Body => (Held::Metadata, layout.head_bytes()),
                SegmentSource::Device { index, offset } => (Held::Device(index), offset),
                // A packed disk has copies of bodies, which are in no file as they lie here.
                SegmentSource::Carried(_) => return Err(Error::Copied { offset: segment.offset }),
                SegmentSource::Zeros => {
                    extents.push_zeros(segment.bytes)?;
                    continue;
                }
            };
            let (file, base) = place(held);
            let too_large = Error::TooLarge { bytes: segment.bytes };
            extents.push(segment.bytes, file, base.checked_add(at).ok_or(too_large)?)?;
        }
        Ok(extents)
    }

    /// Puts `bytes` bytes of a file, from byte `at` of it on, at the end.
    ///
    /// # Errors
    /// [`Error::TooLarge`] past 2^64 bytes, of the disk or of the file.
    pub fn push(&mut self, bytes: u64, file: F, at: u64) -> Result<(), Error> {
        at.checked_add(bytes).ok_or(Error::TooLarge { bytes })?;
        let offset = self.grow(bytes)?;
        if bytes == 0 {
            return Ok(());
        }
        if let Some(last) = self.list.last_mut()
            && let Some((before, start)) = &last.source
            && *before == file
            && *start + last.bytes == at
        {
            last.bytes += bytes;
            return Ok(());
        }
        self.list.push(FileExtent { offset, bytes, source: Some((file, at)) });
        Ok(())
    }

    /// Puts another disk at the end.
    ///
    /// # Errors
    /// [`Error::TooLarge`] past 2^64 bytes.
    pub fn append(&mut self, other: Self) -> Result<(), Error> {
        other.list.into_iter().try_for_each(|extent| match extent.source {
            Some((file, at)) => self.push(extent.bytes, file, at),
            None => self.push_zeros(extent.bytes),
        })
    }

    /// Puts a hash area behind the data, with zeros between them. `geometry` is of this disk with
    /// [`Placement::BehindData`](crate::verity::HashPlacement::BehindData); the hash area, as
    /// [`Placement::OwnFile`](crate::verity::HashPlacement::OwnFile) makes it, is in a file from byte
    /// `at` on.
    ///
    /// # Errors
    /// [`Error::Length`] if the geometry is of less data than there is; [`Error::TooLarge`].
    pub fn push_tree(&mut self, geometry: &Geometry, file: F, at: u64) -> Result<(), Error> {
        let (bytes, expected) = (self.bytes, geometry.data_bytes());
        if bytes > expected || geometry.hash_offset() < expected {
            return Err(Error::Length { bytes, expected });
        }
        self.push_zeros(geometry.hash_offset() - bytes)?;
        self.push(geometry.end() - geometry.hash_offset(), file, at)
    }
}

impl<F: Clone> FileExtents<F> {
    /// Replaces zeros by a range of a file that holds nothing but zeros, `bytes` of them from byte
    /// `at` on: at least [`longest_zeros`](Self::longest_zeros). A hole in the file will do.
    ///
    /// # Errors
    /// [`Error::Length`] if there are fewer.
    pub fn back_zeros(mut self, file: F, at: u64, bytes: u64) -> Result<Self, Error> {
        let expected = self.longest_zeros();
        if bytes < expected {
            return Err(Error::Length { bytes, expected });
        }
        for extent in &mut self.list {
            if extent.source.is_none() {
                extent.source = Some((file.clone(), at));
            }
        }
        Ok(self)
    }
}

impl<F: AsRef<str>> FileExtents<F> {
    /// Hands out extents in sectors: where each starts and how many it has, and the file's name
    /// with the sector in it.
    pub(super) fn sectors(
        &self,
        sink: &mut impl FnMut(u64, u64, Option<(&str, u64)>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for FileExtent { offset, bytes, source } in &self.list {
            let source = source.as_ref().map(|(file, at)| (file.as_ref(), *at));
            let at = source.map_or(0, |(_, at)| at);
            if [*offset, *bytes, at].iter().any(|value| value % SECTOR != 0) {
                let file = source.map(|(file, _)| file.into());
                return Err(Error::Sectors { offset: *offset, bytes: *bytes, file });
            }
            let source = source.map(|(file, at)| (file, at / SECTOR));
            sink(offset / SECTOR, bytes / SECTOR, source)?;
        }
        Ok(())
    }
}
