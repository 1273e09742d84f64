//! A disk into which uncompressed tars are written as they come in, each to the place that it will have.
//!
//! With the data first the first tar has a fixed place, and each next one that behind it. Of tars that are unpacked
//! beside each other the lengths must be known ahead. Where that fails, tars lie elsewhere in the file, or in files of
//! their own, and are copied when the disk is written: the export looks where they are.

use std::path::PathBuf;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::layout;
use erofs_tarfs::units::BlockSize;

use crate::cli::fail::Done;

/// With the data first tars start at multiples of a page.
const PAGE: u64 = 4096;

/// The file of a disk that has no metadata yet.
#[derive(Debug)]
pub(crate) struct Begun {
    output: tarfs_io::Output,
    dir: PathBuf,
    /// Where the next tar goes, if that is known.
    next: Option<u64>,
    is_empty: bool,
}

impl Begun {
    /// A file in this directory, for a disk of blocks of 512 bytes.
    pub(crate) fn new(dir: PathBuf) -> Done<Self> {
        let output = tarfs_io::Output::within(&dir, &dir)?;
        let next = Some(layout::data_first_offset(1, BlockSize::B512));
        Ok(Self { output, dir, next, is_empty: true })
    }

    /// The directory that it is in.
    pub(crate) fn dir(&self) -> &PathBuf {
        &self.dir
    }

    /// So many tars come next: many have more slots of devices in front of them.
    pub(crate) fn expect(&mut self, tars: usize) {
        if self.is_empty {
            self.next = Some(layout::data_first_offset(tars, BlockSize::B512));
        }
    }

    /// The place of a tar of so many bytes, which are all that can be written there.
    pub(crate) fn place(&mut self, bytes: u64) -> Done<Option<NamedFile>> {
        let Some(start) = self.next else { return Ok(None) };
        let Some(end) = start.checked_add(bytes) else { return Ok(None) };
        let file = self.whole()?;
        // What the tar says may be more than a file may have here.
        if file.bytes()? < end && file.set_bytes(end).is_err() {
            self.give_up();
            return Ok(None);
        }
        self.behind(end);
        Ok(Some(file.range(start, bytes)?))
    }

    /// The place of a tar of unknown length that nothing is written behind before it ends: the whole file, and the
    /// byte of it at which the tar starts.
    pub(crate) fn open_end(&mut self) -> Done<Option<(NamedFile, u64)>> {
        let Some(start) = self.next.take() else { return Ok(None) };
        self.is_empty = false;
        Ok(Some((self.whole()?, start)))
    }

    /// What comes next goes behind this byte.
    pub(crate) fn behind(&mut self, end: u64) {
        (self.next, self.is_empty) = (end.checked_next_multiple_of(PAGE), false);
    }

    /// What comes next is written elsewhere.
    pub(crate) fn give_up(&mut self) {
        self.next = None;
    }

    fn whole(&self) -> Done<NamedFile> {
        Ok(self.output.file().try_clone()?)
    }

    /// The file, if there is a tar in it.
    pub(crate) fn output(self) -> Option<tarfs_io::Output> {
        (!self.is_empty).then_some(self.output)
    }
}

/// How long the tar in a file of gzip says to be; a tar has a number of whole blocks. It need not be true: of several
/// members it is the length of the last, and of more than 4 GiB it is the remainder.
pub(crate) fn length_of_gzip(file: &NamedFile) -> Option<u64> {
    let mut length = [0; 4];
    file.read_exact_at(&mut length, file.bytes().ok()?.checked_sub(4)?).ok()?;
    let length = u64::from(u32::from_le_bytes(length));
    (length >= 1024 && length.is_multiple_of(512)).then_some(length)
}
