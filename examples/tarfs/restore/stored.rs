//! The bytes of a file that are stored, holes left out.

use std::io::{self, Read};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::ReadAt;
use erofs_tarfs::tree::File;

use crate::cli::quote;

/// Runs of a file that are stored, as its offset and its length: ascending, and one where they touch.
pub(crate) fn runs(file: &File<'_>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for extent in file.extents() {
        match runs.last_mut() {
            Some((start, len)) if *start + *len == extent.logical => *len += extent.len,
            _ => runs.push((extent.logical, extent.len)),
        }
    }
    runs
}

/// Reads bytes of a file from an offset on, over the files of its devices.
pub(crate) fn read(
    file: &File<'_>,
    sources: &[NamedFile],
    offset: u64,
    buf: &mut [u8],
) -> io::Result<usize> {
    let mut from = |device: usize, from: u64, part: &mut [u8]| {
        let Some(source) = sources.get(device) else {
            return Err(io::Error::other("it is in a device that is not there"));
        };
        ReadAt::read_exact_at(source, part, from).map_err(|error| {
            let name = quote::name(source.path());
            io::Error::new(error.kind(), format!("{name} at offset {from}: {error}"))
        })
    };
    file.read_at(offset, buf, &mut from)
}

/// All runs of a file, one behind the other.
pub(crate) struct Stored<'a> {
    pub(crate) file: File<'a>,
    pub(crate) sources: &'a [NamedFile],
    pub(crate) runs: std::vec::IntoIter<(u64, u64)>,
    /// What is left of the run that is read.
    pub(crate) left: (u64, u64),
}

impl<'a> Stored<'a> {
    pub(crate) fn new(file: File<'a>, sources: &'a [NamedFile], runs: Vec<(u64, u64)>) -> Self {
        Self { file, sources, runs: runs.into_iter(), left: (0, 0) }
    }
}

impl Read for Stored<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left.1 == 0 {
            match self.runs.next() {
                Some(run) => self.left = run,
                None => return Ok(0),
            }
        }
        let (offset, left) = self.left;
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let done = read(&self.file, self.sources, offset, &mut buf[..most])?;
        if done == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = (offset + done as u64, left - done as u64);
        Ok(done)
    }
}
