//! A file's bytes as a stream, from the devices of its tree.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::ReadAt;
use erofs_tarfs::tree::{File, InodeId, Tree};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;

/// A regular file as a stream.
#[derive(Debug)]
pub(crate) struct FileData<'a, S> {
    file: File<'a>,
    sources: S,
    at: u64,
}

impl<'a, S: Borrow<[NamedFile]>> FileData<'a, S> {
    /// A file of a tree, whose devices are `sources`.
    pub(crate) fn new(tree: &'a Tree, id: InodeId, sources: S, image: &Path) -> Done<Self> {
        let Some(file) = tree.file(id) else {
            let path = tree.path_of(id);
            let path = quote::name(OsStr::from_bytes(&path));
            return Err(Fail::of(image, format_args!("{path} is not a file")));
        };
        Ok(Self { file, sources, at: 0 })
    }
}

impl<S: Borrow<[NamedFile]>> Read for FileData<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let sources = self.sources.borrow();
        let mut read = |device: usize, from: u64, part: &mut [u8]| {
            let file = &sources[device];
            ReadAt::read_exact_at(file, part, from).map_err(|error| {
                let name = quote::name(file.path());
                io::Error::new(error.kind(), format!("{name} at offset {from}: {error}"))
            })
        };
        let done = self.file.read_at(self.at, buf, &mut read)?;
        self.at += done as u64;
        Ok(done)
    }
}
