//! Digests of a tar's data blocks, kept for all images that it is in.
#![allow(unsafe_code, reason = "exports symbols")]

use erofs_tarfs::verity;

use crate::error::Error;
use crate::panic::boundary;
use crate::pointer;
use crate::verity_params::VerityParams;

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
