//! What an export has made.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::ffi::CString;
use core::ffi::c_char;
use std::os::unix::ffi::OsStrExt;

use erofs_tarfs::io::{self, ExportedDisk};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::trees::device::{self, TarfsDevice};
use crate::verity::sealed::Sealed;

/// The files that an export has made. It does not change: any number of threads may use it.
#[derive(Debug)]
pub struct Exported {
    made: Vec<io::Exported>,
    /// Their paths.
    paths: Vec<CString>,
}

/// A file that an export has made.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsExportedInfo {
    /// sizeof(tarfs_exported_info).
    pub size: usize,
    /// Its path; lives as long as the object.
    pub path: *const c_char,
    /// Bytes of the disk, or of the hash tree alone. With a form over files these are no file's.
    pub bytes: u64,
    /// Bytes of the filesystem, of the first one with partitions.
    pub filesystem_bytes: u64,
    /// How many devices the filesystem has, of which each came from a source.
    pub devices: u64,
    /// How many filesystems are in it: 1, or with partitions one for each layer.
    pub filesystems: u64,
    /// Partitions; 0 without.
    pub partitions: u64,
    /// 1 if there is a hash tree.
    pub has_verity: u32,
    /// Not used; 0.
    pub reserved: u32,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsExportedInfo {}

impl Exported {
    pub(crate) fn new(made: Vec<io::Exported>) -> Result<Self, Error> {
        let path = |one: &io::Exported| CString::new(one.path.as_os_str().as_bytes());
        let paths = made.iter().map(path).collect::<Result<_, _>>();
        let paths = paths.map_err(|_| Error::argument("a NUL in a path"))?;
        Ok(Self { made, paths })
    }

    fn at(&self, index: usize) -> Result<&io::Exported, Error> {
        let count = self.made.len();
        let none = || Error::not_found(format!("file {index}: there are {count}, from 0 on"));
        self.made.get(index).ok_or_else(none)
    }

    fn filesystem(&self, index: usize, filesystem: usize) -> Result<&ExportedDisk, Error> {
        let disks = &self.at(index)?.disks;
        let count = disks.len();
        let none = || Error::not_found(format!("filesystem {filesystem}: there are {count}"));
        disks.get(filesystem).ok_or_else(none)
    }
}

/// How many files an export has made.
///
/// @param exported NULL has made none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_exported_count(exported: *const Exported) -> usize {
    // SAFETY: the pointer is as the header says.
    unsafe { pointer::maybe(exported) }.map_or(0, |exported| exported.made.len())
}

/// One of the files that an export has made.
///
/// @param index From 0 on: the layers' order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_exported_get_info(
    exported: *const Exported,
    index: usize,
    info: *mut TarfsExportedInfo,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let exported = pointer::borrow(exported, "exported")?;
            let made = exported.at(index)?;
            let disk = exported.filesystem(index, 0)?;
            let answer = TarfsExportedInfo {
                size: 0,
                path: exported.paths[index].as_ptr(),
                bytes: made.bytes,
                filesystem_bytes: disk.filesystem_bytes,
                devices: disk.sources as u64,
                filesystems: made.disks.len() as u64,
                partitions: made.gpt.as_ref().map_or(0, |gpt| gpt.partitions().len() as u64),
                has_verity: disk.sealed.is_some().into(),
                reserved: 0,
            };
            sized::write(info, answer, "info")
        })
    }
}

/// Geometry and root hash of a file that an export has made.
///
/// @param filesystem 0, or with partitions the number of the layer from 0 on.
/// @param sealed Receives it, ended with tarfs_sealed_free. Offsets of a tree behind its data count
///        from the start of the disk, or of the partition.
/// @return TARFS_STATUS_NOT_FOUND in a mode without hash tree.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_exported_get_sealed(
    exported: *const Exported,
    index: usize,
    filesystem: usize,
    sealed: *mut *mut Sealed,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(sealed, "sealed")?;
            let disk = pointer::borrow(exported, "exported")?.filesystem(index, filesystem)?;
            let none = || Error::not_found("the mode has no hash tree");
            let found = disk.sealed.clone().ok_or_else(none)?;
            pointer::put(sealed, pointer::give(Sealed(found)));
            Ok(())
        })
    }
}

/// A device of a filesystem in a file that an export has made, as tarfs_layout_get_device has it.
///
/// @param filesystem 0, or with partitions the number of the layer from 0 on.
/// @param device Receives it; its tag lives as long as the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_exported_get_device(
    exported: *const Exported,
    index: usize,
    filesystem: usize,
    device_index: usize,
    device: *mut TarfsDevice,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let disk = pointer::borrow(exported, "exported")?.filesystem(index, filesystem)?;
            let devices = &disk.devices[..disk.sources];
            let found = devices.get(device_index);
            let found = found.ok_or_else(|| device::none(device_index, devices.len()))?;
            sized::write(device, TarfsDevice::planned(found), "device")
        })
    }
}

/// Frees what is known of the files; the files stay.
///
/// @param exported What is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_exported_free(exported: *mut Exported) {
    // SAFETY: the caller passes NULL or what this library made, once.
    unsafe { pointer::free(exported) }
}
