//! Which part of a disk comes from where.
#![allow(unsafe_code, reason = "exports symbols")]

use erofs_tarfs::image::SegmentSource;

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::images::layout::Layout;

/// The segment is the head: tarfs_layout_write_metadata writes it.
pub const TARFS_SEGMENT_HEAD: u32 = 0;
/// The segment is the rest of the metadata.
pub const TARFS_SEGMENT_BODY: u32 = 1;
/// The segment is a part of a device's file.
pub const TARFS_SEGMENT_DEVICE: u32 = 2;
/// The segment is zeros; a hole will do.
pub const TARFS_SEGMENT_ZEROS: u32 = 3;
/// The segment is of a file whose bytes the layer has itself: tarfs_layout_write_disk writes it.
pub const TARFS_SEGMENT_CARRIED: u32 = 4;

/// A part of a disk. Segments ascend, each starting where the one before ends.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsSegment {
    /// sizeof(tarfs_segment).
    pub size: usize,
    /// Byte of the disk at which it starts.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// One of TARFS_SEGMENT_.
    pub kind: u32,
    /// Index of the device, if it is one's.
    pub device: u32,
    /// Byte of the device's file at which it starts.
    pub device_offset: u64,
}

// SAFETY: integers, the size first.
unsafe impl Sized for TarfsSegment {}

/// A segment of the disk that the layout describes; of a bootstrap, of the disk that its unified
/// addresses describe.
///
/// @param index From 0 on; TARFS_STATUS_NOT_FOUND behind the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_get_segment(
    layout: *const Layout,
    index: usize,
    segment: *mut TarfsSegment,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let segments = &pointer::borrow(layout, "layout")?.disk().segments;
            let found = segments.get(index);
            let found = found.ok_or_else(|| Error::not_found(format!("segment {index}")))?;
            let (kind, device, device_offset) = match found.source {
                SegmentSource::Head => (TARFS_SEGMENT_HEAD, 0, 0),
                SegmentSource::Body => (TARFS_SEGMENT_BODY, 0, 0),
                SegmentSource::Device { index, offset } => {
                    (TARFS_SEGMENT_DEVICE, index as u32, offset)
                }
                SegmentSource::Carried(_) => (TARFS_SEGMENT_CARRIED, 0, 0),
                _ => (TARFS_SEGMENT_ZEROS, 0, 0),
            };
            let (offset, bytes) = (found.offset, found.bytes);
            let answer = TarfsSegment { size: 0, offset, bytes, kind, device, device_offset };
            sized::write(segment, answer, "segment")
        })
    }
}
