//! Devices, as C sees them.

use core::ptr;

use erofs_tarfs::layout::PlannedDevice;

use crate::abi::error::Error;
use crate::abi::sized::Sized;

/// A file that holds bodies of files: a tar.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsDevice {
    /// sizeof(tarfs_device).
    pub size: usize,
    /// Its name: usually the hex digits of the blob's digest. Not NUL-terminated. Two devices may
    /// have one tag: which file a device of a merged tree is, origin_layer and origin_device tell.
    pub tag: *const u8,
    /// Length of tag: up to 64.
    pub tag_len: usize,
    /// Its length in bytes, from base_offset on.
    pub bytes: u64,
    /// Byte of its file that counts as its first.
    pub base_offset: u64,
    /// Its length in blocks of the filesystem.
    pub blocks: u64,
    /// Its first block in the unified address space.
    pub uniaddr: u64,
    /// Its first byte in the disk; 0 in a bootstrap.
    pub disk_offset: u64,
    /// Of a merged tree: which of the layers given to tarfs_tree_merge it comes from, from 0; of
    /// devices that are one, the lowest.
    pub origin_layer: u64,
    /// And which device of that layer's tree.
    pub origin_device: u64,
}

#[allow(unsafe_code, reason = "states a fact about a struct")]
mod proof {
    // SAFETY: integers and pointers, the size first.
    unsafe impl super::Sized for super::TarfsDevice {}
}

impl TarfsDevice {
    /// A device of which nothing is known.
    pub(crate) const EMPTY: Self = Self {
        size: 0,
        tag: ptr::null(),
        tag_len: 0,
        bytes: 0,
        base_offset: 0,
        blocks: 0,
        uniaddr: 0,
        disk_offset: 0,
        origin_layer: 0,
        origin_device: 0,
    };

    /// A device of an image that is planned or made; its tag is borrowed.
    pub(crate) fn planned(found: &PlannedDevice) -> Self {
        Self {
            size: 0,
            tag: found.tag.as_ptr(),
            tag_len: found.tag.len(),
            bytes: found.bytes,
            base_offset: found.base_offset,
            blocks: found.blocks,
            uniaddr: found.uniaddr,
            disk_offset: found.disk_offset.unwrap_or(0),
            origin_layer: found.origin.map_or(0, |origin| origin.layer as u64),
            origin_device: found.origin.map_or(0, |origin| origin.device as u64),
        }
    }
}

/// There is no such device.
pub(crate) fn none(index: usize, count: usize) -> Error {
    Error::not_found(format!("device {index}: there are {count}, counted from 0"))
}
