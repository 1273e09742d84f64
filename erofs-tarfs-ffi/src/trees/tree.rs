//! Trees: their totals and devices.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::sync::Arc;

use erofs_tarfs::tree::{self, InodeId};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::trees::device::{self, TarfsDevice};

/// A filesystem tree: one layer, or layers merged. It does not change: any number of threads may
/// use it.
#[derive(Debug)]
pub struct Tree(pub(crate) Arc<tree::Tree>);

impl Tree {
    pub(crate) fn new(tree: tree::Tree) -> Self {
        Self(Arc::new(tree))
    }

    /// The inode at an index from C.
    pub(crate) fn inode(&self, index: u32) -> Result<InodeId, Error> {
        self.0.inode(index).ok_or_else(|| {
            Error::not_found(format!("inode {index}: there are {}", self.0.inode_count()))
        })
    }
}

/// Totals of a tree.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsTreeInfo {
    /// sizeof(tarfs_tree_info).
    pub size: usize,
    /// Inodes; their numbers count from 0, which is the root.
    pub inodes: u64,
    /// Names in all directories.
    pub names: u64,
    /// Devices: the files that hold bodies.
    pub devices: u64,
}

// SAFETY: integers, the size first.
unsafe impl Sized for TarfsTreeInfo {}

/// Totals of a tree.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_get_info(
    tree: *const Tree,
    info: *mut TarfsTreeInfo,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = &pointer::borrow(tree, "tree")?.0;
            let answer = TarfsTreeInfo {
                size: 0,
                inodes: tree.inode_count() as u64,
                names: tree.name_count() as u64,
                devices: tree.devices().len() as u64,
            };
            sized::write(info, answer, "info")
        })
    }
}

/// A device of a tree: a file that holds bodies.
///
/// @param index From 0 on, in layer order.
/// @param device Receives it; its tag lives as long as the tree. Addresses in images are not known
///        yet and 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_get_device(
    tree: *const Tree,
    index: usize,
    device: *mut TarfsDevice,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = &pointer::borrow(tree, "tree")?.0;
            let found = tree.devices().get(index);
            let found = found.ok_or_else(|| device::none(index, tree.devices().len()))?;
            let origin = tree.origins().get(index);
            let answer = TarfsDevice {
                origin_layer: origin.map_or(0, |origin| origin.layer as u64),
                origin_device: origin.map_or(0, |origin| origin.device as u64),
                tag: found.tag.as_ptr(),
                tag_len: found.tag.len(),
                bytes: found.bytes,
                base_offset: found.base_offset,
                ..TarfsDevice::EMPTY
            };
            sized::write(device, answer, "device")
        })
    }
}

/// Frees a tree. Layouts made of it live on.
///
/// @param tree A tree that is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_free(tree: *mut Tree) {
    // SAFETY: the caller passes NULL or a tree of this library, once.
    unsafe { pointer::free(tree) }
}
