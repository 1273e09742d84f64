//! Layers as they are given to an export.
#![allow(unsafe_code, reason = "reads the callers' structs")]

use alloc::borrow::Cow;
use core::ffi::{CStr, c_char};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{Backing, Export, NamedFile};

use crate::abi::error::Error;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::streams::file::duplicate;
use crate::streams::source::{Reader, Source};
use crate::trees::tree::Tree;
use crate::verity::leaves::Leaves;

/// A layer of an export: a tar that is read, or a tree and where the bytes of its devices are.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsExportLayer {
    /// sizeof(tarfs_export_layer).
    pub size: usize,
    /// Path of an uncompressed tar; NULL for tree. It is read for its entries and its SHA-256, which is
    /// the tag of its device, and once more for the disk.
    pub tar: *const c_char,
    /// A tree; NULL for tar.
    pub tree: *const Tree,
    /// The files of the tree's devices, in its order; may be NULL if source_count is 0.
    pub sources: *const Source,
    /// How many sources: as many as the tree has devices.
    pub source_count: usize,
    /// NULL, or for each of the sources NULL or the digests kept of its data blocks, with which its
    /// bytes need not be hashed again.
    pub leaves: *const *const Leaves,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsExportLayer {}

impl TarfsExportLayer {
    /// Adds the layer, which is the `number`th from 1 on.
    ///
    /// # Safety
    ///
    /// The pointers in it are as the header says, while `'a` lasts.
    pub(crate) unsafe fn add<'a>(
        &self,
        export: Export<'a>,
        number: usize,
    ) -> Result<Export<'a>, Error> {
        if self.tree.is_null() {
            if self.tar.is_null() {
                return Err(Error::argument(format!("layer {number}: neither a tar nor a tree")));
            }
            if self.source_count != 0 || !self.leaves.is_null() {
                let why = "sources and leaves are of a tree, and this is a tar";
                return Err(Error::argument(format!("layer {number}: {why}")));
            }
            // SAFETY: not NULL, and a string by the contract.
            let path = unsafe { CStr::from_ptr(self.tar) };
            return Ok(export.tar(Path::new(OsStr::from_bytes(path.to_bytes()))));
        }
        if !self.tar.is_null() {
            return Err(Error::argument(format!("layer {number}: both a tar and a tree")));
        }
        // SAFETY: by the contract.
        let tree: &'a Tree = unsafe { pointer::borrow(self.tree, "tree")? };
        // SAFETY: by the contract.
        let sources = unsafe { sized::array(self.sources, self.source_count, "sources")? };
        let (count, devices) = (sources.len(), tree.0.devices().len());
        if count != devices {
            let why = format!("layer {number}: {count} sources, but there are {devices} devices");
            return Err(Error::argument(why));
        }
        let kept: &[*const Leaves] = match self.leaves.is_null() {
            true => &[],
            // SAFETY: by the contract.
            false => unsafe { pointer::array(self.leaves, count, "leaves")? },
        };
        // SAFETY: by the contract.
        let leaves = |&one: &*const Leaves| unsafe { pointer::maybe::<Leaves>(one) };
        let leaves = kept.iter().map(leaves).map(|one| one.map(|one: &'a Leaves| &one.0));
        let leaves = leaves.map(|one| one.map(Cow::Borrowed)).collect();
        let backings = sources.into_iter().enumerate();
        let backings = backings.map(|(at, source)| backing(source, number, at));
        let backings = backings.collect::<Result<_, _>>()?;
        Ok(export.layer(&*tree.0, backings, leaves))
    }
}

/// Where the bytes of a device are.
fn backing<'a>(source: Source, layer: usize, device: usize) -> Result<Backing<'a>, Error> {
    let name = format!("device {} of layer {layer}", device + 1);
    if source.read.is_some() {
        let reader = Reader::new(source)?;
        let read = move |offset, buf: &mut [u8]| reader.read(offset, buf).map_err(io::Error::other);
        return Ok(Backing::reader(name, read));
    }
    let file = duplicate(source.fd, "the source")?;
    let named = path_of(&file).unwrap_or_else(|| PathBuf::from(name));
    let file = NamedFile::new(named, file);
    let rest = |file: &NamedFile| Ok::<_, Error>(file.bytes()?.saturating_sub(source.offset));
    match source.offset {
        0 => Ok(Backing::File(file)),
        offset => {
            let bytes = rest(&file)?;
            Ok(Backing::File(file.range(offset, bytes)?))
        }
    }
}

/// The path of an open file, as forms over files name it, if it still leads there.
fn path_of(file: &fs::File) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let (found, open) = (fs::metadata(&path).ok()?, file.metadata().ok()?);
    ((found.dev(), found.ino()) == (open.dev(), open.ino())).then_some(path)
}
