//! Digests of a tar's data blocks, kept for all images that it is in.
#![allow(unsafe_code, reason = "exports symbols")]

use erofs_tarfs::io::verity::read_leaves;
use erofs_tarfs::verity;

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized;
use crate::streams::source::{Reader, Source};
use crate::verity::params::VerityParams;
use crate::verity::sealed::Sealed;
use crate::verity::threads::options;

/// Digests of the data blocks of one tar. It does not change: any number of threads may use it.
#[derive(Debug)]
pub struct Leaves(pub(crate) verity::Leaves);

impl Leaves {
    pub(crate) fn new(leaves: verity::Leaves) -> Self {
        Self(leaves)
    }
}

/// Makes leaves of digests that were kept, such as those that tarfs_leaves_digests gave, or level 0
/// of the hash tree of the tar as it is.
///
/// @param params Data block size and salt that they were made with.
/// @param digests 32 bytes for each data block of the tar, from its first one on.
/// @param len Length of digests in bytes.
/// @param leaves Receives the leaves, ended with tarfs_leaves_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_leaves_new(
    params: *const VerityParams,
    digests: *const u8,
    len: usize,
    leaves: *mut *mut Leaves,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(leaves, "leaves")?;
            let mut made = verity::Leaves::new(&VerityParams::read(params)?);
            made.push_digests(pointer::bytes(digests, len, "digests")?)?;
            pointer::put(leaves, pointer::give(Leaves(made)));
            Ok(())
        })
    }
}

/// Reads leaves back out of a hash tree: the digests of a layer, kept in the tree of its disk, serve
/// every image that has the layer. They are verified against the root hash, which alone is trusted;
/// the data is not read.
///
/// @param hashes Where the hash area is: the file of the data, or its own. A file is read on
///        threads.
/// @param sealed Geometry and root hash of the tree: see tarfs_sealed_new.
/// @param offset Byte of the data from which leaves are wanted, the start of a data block: 0 if the
///        source of tarfs_layout_hash_disk will be the disk, the device's disk_offset if it will be
///        the tar.
/// @param bytes Length of the data whose leaves are wanted, such as that of the tar; UINT64_MAX for
///        all. A last block that is not whole has none.
/// @param thread_count How many threads hash; 0 for as many as the machine has.
/// @param leaves Receives the leaves, ended with tarfs_leaves_free.
/// @return TARFS_STATUS_MISMATCH if the tree is not what the root hash says; the error tells where.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_leaves_read(
    hashes: *const Source,
    sealed: *const Sealed,
    offset: u64,
    bytes: u64,
    thread_count: u32,
    leaves: *mut *mut Leaves,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(leaves, "leaves")?;
            let hashes = Reader::new(sized::required(hashes, "hashes")?)?;
            let sealed = &pointer::borrow(sealed, "sealed")?.0;
            let mut read = match hashes.file() {
                Some(file) => read_leaves(&file, sealed, &options(thread_count))?,
                None => {
                    let mut read = |offset: u64, buf: &mut [u8]| hashes.read(offset, buf);
                    verity::Leaves::read(sealed, &mut read)?
                }
            };
            if offset != 0 || bytes < sealed.geometry().data_bytes() {
                let unaligned = || {
                    Error::argument(format!("offset: {offset} is not the start of a data block"))
                };
                read = read.part(offset, bytes).ok_or_else(unaligned)?;
            }
            pointer::put(leaves, pointer::give(Leaves(read)));
            Ok(())
        })
    }
}

/// The digests: 32 bytes for each whole data block, in order.
///
/// @param digests Receives a pointer that lives as long as the leaves.
/// @param len Receives their length in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_leaves_digests(
    leaves: *const Leaves,
    digests: *mut *const u8,
    len: *mut usize,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let kept = pointer::borrow(leaves, "leaves")?.0.digests();
            pointer::put(digests, kept.as_ptr());
            pointer::put(len, kept.len());
            Ok(())
        })
    }
}

/// Frees leaves.
///
/// @param leaves Leaves that are not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_leaves_free(leaves: *mut Leaves) {
    // SAFETY: the caller passes NULL or leaves of this library, once.
    unsafe { pointer::free(leaves) }
}
