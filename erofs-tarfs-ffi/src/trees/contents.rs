//! The bytes of regular files.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ptr;

use erofs_tarfs::tree::{File, Place};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::streams::source::{Reader, Source};
use crate::trees::tree::Tree;

/// The extent is in a device.
pub const TARFS_EXTENT_DEVICE: u32 = 0;
/// The tree itself has the extent's bytes.
pub const TARFS_EXTENT_CARRIED: u32 = 1;

/// A part of a regular file. What lies between them reads as zeros.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsExtent {
    /// sizeof(tarfs_extent).
    pub size: usize,
    /// Byte of the file at which it starts.
    pub logical: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// One of TARFS_EXTENT_.
    pub kind: u32,
    /// Index of the device.
    pub device: u32,
    /// Byte of the device at which it starts, from the device's base_offset on.
    pub offset: u64,
    /// The bytes, if the tree has them; they live as long as the tree.
    pub data: *const u8,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsExtent {}

/// A regular file.
fn file(tree: &Tree, inode: u32) -> Result<File<'_>, Error> {
    let found = tree.0.file(tree.inode(inode)?);
    found.ok_or_else(|| Error::argument(format!("inode {inode} is no regular file")))
}

/// An extent of a regular file.
///
/// @param index From 0 on, in ascending order; TARFS_STATUS_NOT_FOUND behind the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_get_extent(
    tree: *const Tree,
    inode: u32,
    index: usize,
    extent: *mut TarfsExtent,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = pointer::borrow(tree, "tree")?;
            let file = file(tree, inode)?;
            let found = file.extents().get(index);
            let found = found.ok_or_else(|| Error::not_found(format!("extent {index}")))?;
            let (kind, device, offset, data) = match found.place {
                Place::Device { device, offset } => {
                    (TARFS_EXTENT_DEVICE, u32::from(device), offset, ptr::null())
                }
                Place::Carried(at) => {
                    (TARFS_EXTENT_CARRIED, 0, 0, tree.0.carried(at, found.len).as_ptr())
                }
            };
            let (logical, bytes) = (found.logical, found.len);
            let answer = TarfsExtent { size: 0, logical, bytes, kind, device, offset, data };
            sized::write(extent, answer, "extent")
        })
    }
}

/// Reads bytes of a regular file.
///
/// @param sources The files of the tree's devices, in their order; may be NULL if count is 0.
/// @param offset Byte of the file; nothing is read at its end or behind it.
/// @param buf Receives up to len bytes.
/// @param done Receives how many they are: less than len only at the end of the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_read(
    tree: *const Tree,
    inode: u32,
    sources: *const Source,
    count: usize,
    offset: u64,
    buf: *mut u8,
    len: usize,
    done: *mut usize,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = pointer::borrow(tree, "tree")?;
            let sources = sized::array(sources, count, "sources")?;
            let buf = pointer::bytes_mut(buf, len, "buf")?;
            pointer::output(done, "done")?;
            let mut read = |device: usize, at: u64, part: &mut [u8]| {
                let source = sources.get(device).ok_or_else(|| {
                    let given = sources.len();
                    Error::argument(format!("sources: {given}, but device {device} is read"))
                })?;
                Reader::new(*source)?.read(at, part)
            };
            let bytes = file(tree, inode)?.read_at(offset, buf, &mut read)?;
            pointer::put(done, bytes);
            Ok(())
        })
    }
}
