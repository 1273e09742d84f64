//! Disks over files that hold their bytes already.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_char;
use core::ptr;

use erofs_tarfs::outputs::{self, Held};
use erofs_tarfs::verity::{Geometry, HashPlacement};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::abi::string;
use crate::images::layout::Layout;
use crate::verity::sealed::Sealed;

/// A disk as ranges of files: nothing is copied, and no file is opened. It does not change: any
/// number of threads may use it.
#[derive(Debug)]
pub struct Ranges(pub(crate) outputs::FileExtents<String>);

/// A range of a disk.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsRange {
    /// sizeof(tarfs_range).
    pub size: usize,
    /// Byte of the disk at which it starts: where the one before ends. Not looked at in what is
    /// given to tarfs_ranges_new.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The file's name, in UTF-8; NULL for zeros. Not NUL-terminated.
    pub file: *const u8,
    /// Length of file.
    pub file_len: usize,
    /// Byte of the file at which the range starts.
    pub file_offset: u64,
}

/// What a disk of ranges is.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsRangesInfo {
    /// sizeof(tarfs_ranges_info).
    pub size: usize,
    /// Length of the disk in bytes.
    pub bytes: u64,
    /// How many ranges it has.
    pub count: u64,
    /// The longest range of zeros, in bytes: what a file that backs them has to have.
    pub longest_zeros: u64,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsRange {}
// SAFETY: as above.
unsafe impl Sized for TarfsRangesInfo {}

/// A device-mapper table of linear and zero targets, for dmsetup create --readonly. Files are called
/// by their loop devices: at paths, or as MAJOR:MINOR.
pub const TARFS_RANGES_DM_LINEAR: u32 = 0;
/// A VMDK descriptor for QEMU and others. Files are called by paths, absolute or from the
/// descriptor's directory on. A file has to back zeros.
pub const TARFS_RANGES_VMDK: u32 = 1;

/// Makes a disk of ranges of files, front to back. Neighbours that are one range become one.
///
/// @param list The ranges; their offsets follow from their lengths.
/// @param ranges Receives the disk, ended with tarfs_ranges_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_ranges_new(
    list: *const TarfsRange,
    count: usize,
    ranges: *mut *mut Ranges,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(ranges, "ranges")?;
            let mut made = outputs::FileExtents::default();
            for range in sized::array(list, count, "list")? {
                if range.file.is_null() {
                    made.push_zeros(range.bytes)?;
                    continue;
                }
                let name = pointer::utf8(range.file, range.file_len, "a range's file")?;
                made.push(range.bytes, name.to_owned(), range.file_offset)?;
            }
            pointer::put(ranges, pointer::give(Ranges(made)));
            Ok(())
        })
    }
}

/// Makes a disk of an image: of its metadata, its devices' files as they lie, and its hash tree.
///
/// @param layout Of a disk, or of a bootstrap: then the disk is the one that its unified addresses
///        describe.
/// @param metadata Name of the file that tarfs_layout_write_metadata wrote for a bootstrap: all of
///        the metadata in one piece, whatever the layout is.
/// @param devices Names of the devices' files, in the order of the device table.
/// @param device_count How many: all.
/// @param sealed Of the same disk, wherever its hash area was written; in the disk it is behind the
///        data. NULL for a disk without a hash tree.
/// @param hashes Name of the file that the hash area is in; with sealed only.
/// @param hashes_offset Byte of it at which the hash area starts: hash_offset, or what a sink made
///        of that.
/// @param ranges Receives the disk, ended with tarfs_ranges_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_ranges_of_disk(
    layout: *const Layout,
    metadata: *const c_char,
    devices: *const *const c_char,
    device_count: usize,
    sealed: *const Sealed,
    hashes: *const c_char,
    hashes_offset: u64,
    ranges: *mut *mut Ranges,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(ranges, "ranges")?;
            let layout = pointer::borrow(layout, "layout")?;
            let metadata = pointer::text(metadata, "metadata")?;
            let names = pointer::array(devices, device_count, "devices")?.iter();
            let names = names.map(|name| pointer::text(*name, "a name in devices"));
            let names: Vec<&str> = names.collect::<Result<_, _>>()?;
            let wanted = layout.plan().sources();
            if names.len() != wanted {
                let given = names.len();
                return Err(Error::argument(format!("{given} names for {wanted} devices")));
            }
            let place = |held| match held {
                Held::Metadata => (metadata, 0),
                Held::Device(index) => (names[index], 0),
            };
            let mut made = outputs::FileExtents::of_disk(layout.disk(), layout.plan(), place)?;
            if let Some(sealed) = pointer::maybe(sealed) {
                let hashes = pointer::text(hashes, "hashes")?;
                let sealed = sealed.0.geometry();
                let (params, behind) = (sealed.params(), HashPlacement::BehindData);
                let geometry = Geometry::new(params, sealed.data_bytes(), behind)?;
                made.push_tree(&geometry, hashes, hashes_offset)?;
            }
            pointer::put(ranges, pointer::give(Ranges(made.map(str::to_owned))));
            Ok(())
        })
    }
}

/// What a disk of ranges is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_ranges_get_info(
    ranges: *const Ranges,
    info: *mut TarfsRangesInfo,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let extents = &pointer::borrow(ranges, "ranges")?.0;
            let answer = TarfsRangesInfo {
                size: 0,
                bytes: extents.bytes(),
                count: extents.list().len() as u64,
                longest_zeros: extents.longest_zeros(),
            };
            sized::write(info, answer, "info")
        })
    }
}

/// A range of a disk.
///
/// @param index From 0 on; TARFS_STATUS_NOT_FOUND behind the last.
/// @param range Receives it; its name lives as long as the disk.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_ranges_get(
    ranges: *const Ranges,
    index: usize,
    range: *mut TarfsRange,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let found = pointer::borrow(ranges, "ranges")?.0.list().get(index);
            let found = found.ok_or_else(|| Error::not_found(format!("range {index}")))?;
            let (file, file_len, file_offset) = match &found.source {
                Some((name, at)) => (name.as_ptr(), name.len(), *at),
                None => (ptr::null(), 0, 0),
            };
            let (offset, bytes) = (found.offset, found.bytes);
            let answer = TarfsRange { size: 0, offset, bytes, file, file_len, file_offset };
            sized::write(range, answer, "range")
        })
    }
}

/// A disk of ranges as a text, for others to read. What does not fit it is TARFS_STATUS_OUTPUT:
/// ranges that are not whole sectors of 512 bytes, names that the form cannot carry.
///
/// @param kind One of TARFS_RANGES_.
/// @param zeros Name of a file that backs zeros, or NULL: a hole will do.
/// @param zeros_offset Byte of it at which its zeros start.
/// @param zeros_bytes How many they are: at least as many as the longest range of zeros has.
/// @param text Receives a NUL-terminated string, freed with tarfs_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_ranges_get_text(
    ranges: *const Ranges,
    kind: u32,
    zeros: *const c_char,
    zeros_offset: u64,
    zeros_bytes: u64,
    text: *mut *mut c_char,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let extents = &pointer::borrow(ranges, "ranges")?.0;
            pointer::output(text, "text")?;
            let backed;
            let extents = match zeros.is_null() {
                true => extents,
                false => {
                    let zeros = pointer::text(zeros, "zeros")?.to_owned();
                    backed = extents.clone().back_zeros(zeros, zeros_offset, zeros_bytes)?;
                    &backed
                }
            };
            let made = match kind {
                TARFS_RANGES_DM_LINEAR => outputs::dm_linear(extents)?,
                TARFS_RANGES_VMDK => outputs::vmdk(extents)?,
                other => return Err(Error::argument(format!("kind {other}: not known"))),
            };
            string::put(text, made)
        })
    }
}

/// Frees a disk of ranges.
///
/// @param ranges What is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_ranges_free(ranges: *mut Ranges) {
    // SAFETY: the caller passes NULL or what this library made, once.
    unsafe { pointer::free(ranges) }
}
