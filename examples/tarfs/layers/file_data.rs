//! A file's bytes as a stream, from the devices of its tree.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::ReadAt;
use erofs_tarfs::tree::{self, Content, Extent, InodeId, Place, Tree};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;

/// A regular file as a stream.
#[derive(Debug)]
pub(crate) struct FileData<'a, S> {
    tree: &'a Tree,
    extents: Vec<Extent>,
    sources: S,
    next: usize,
    at: u64,
    size: u64,
}

impl<'a, S: Borrow<[NamedFile]>> FileData<'a, S> {
    /// A file of a tree, whose devices are `sources`.
    pub(crate) fn new(tree: &'a Tree, id: InodeId, sources: S, image: &Path) -> Done<Self> {
        let Content::Regular { size, body } = tree.content(id) else {
            let path = tree.path_of(id);
            let path = quote::name(OsStr::from_bytes(&path));
            return Err(Fail::of(image, format_args!("{path} is not a file")));
        };
        let extents = match body {
            tree::Body::Contiguous(_) if size == 0 => Vec::new(),
            tree::Body::Contiguous(place) => vec![Extent { logical: 0, len: size, place }],
            tree::Body::Extents(extents) => extents.to_vec(),
        };
        Ok(Self { tree, extents, sources, next: 0, at: 0, size })
    }
}

impl<S: Borrow<[NamedFile]>> Read for FileData<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room =
            |until: u64| usize::try_from(until - self.at).unwrap_or(usize::MAX).min(buf.len());
        let extent = self.extents.get(self.next).filter(|extent| extent.logical <= self.at);
        let Some(extent) = extent else {
            let hole = self.extents.get(self.next).map_or(self.size, |extent| extent.logical);
            let n = room(hole);
            buf[..n].fill(0);
            self.at += n as u64;
            return Ok(n);
        };
        let n = room(extent.logical + extent.len);
        let within = self.at - extent.logical;
        match extent.place {
            Place::Device { device, offset } => {
                let base = self.tree.devices()[usize::from(device)].base_offset;
                let (file, from) =
                    (&self.sources.borrow()[usize::from(device)], base + offset + within);
                let read = ReadAt::read_exact_at(file, &mut buf[..n], from);
                read.map_err(|error| {
                    let name = quote::name(file.path());
                    let what = format!("{name} at offset {from}: {error}");
                    io::Error::new(error.kind(), what)
                })?;
            }
            Place::Carried(offset) => {
                buf[..n].copy_from_slice(self.tree.carried(offset + within, n as u64));
            }
        }
        self.at += n as u64;
        if self.at == extent.logical + extent.len {
            self.next += 1;
        }
        Ok(n)
    }
}
