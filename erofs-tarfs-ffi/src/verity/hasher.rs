//! dm-verity as data streams by.
#![allow(unsafe_code, reason = "exports symbols")]

use erofs_tarfs::verity;

use crate::abi::error::Error;
use crate::abi::panic::{Guarded, boundary};
use crate::abi::pointer;
use crate::streams::sink::Sink;
use crate::verity::hashes::Hashes;
use crate::verity::leaves::Leaves;
use crate::verity::params::VerityParams;
use crate::verity::sealed::Sealed;

/// Hashes data of known length as it streams by.
#[derive(Debug)]
pub struct Hasher(Guarded<State>);

#[derive(Debug)]
struct State {
    /// None once it is finished, or failed.
    hasher: Option<verity::Hasher>,
    sink: Hashes,
}

impl State {
    fn work(
        &mut self,
        work: impl FnOnce(&mut verity::Hasher, &mut Hashes) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let gone = || Error::order("the hasher is finished, or an earlier call on it failed");
        let hasher = self.hasher.as_mut().ok_or_else(gone)?;
        let done = work(hasher, &mut self.sink);
        if done.is_err() {
            self.hasher = None;
        }
        done
    }
}

/// Starts a hash tree.
///
/// @param params NULL for those of the preset "nydus".
/// @param data_bytes Length of all data in bytes: whole data blocks, at least one.
/// @param sink Where hash blocks go; NULL if the root hash is enough. Their offsets ascend within
///        a level, but levels take turns. A callback is kept until tarfs_hasher_free.
/// @param hasher Receives the hasher, ended with tarfs_hasher_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_hasher_new(
    params: *const VerityParams,
    data_bytes: u64,
    sink: *const Sink,
    hasher: *mut *mut Hasher,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(hasher, "hasher")?;
            let geometry = VerityParams::geometry(params, data_bytes)?;
            let sink = Hashes::new(sink)?;
            let state = State { hasher: Some(verity::Hasher::new(geometry)), sink };
            pointer::put(hasher, pointer::give(Hasher(Guarded::new(state))));
            Ok(())
        })
    }
}

/// Hashes the next bytes of the data, in pieces of any size; 64 KiB or more at a time are fast.
///
/// @param data May be NULL if len is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_hasher_push(
    hasher: *mut Hasher,
    data: *const u8,
    len: usize,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let hasher = pointer::borrow_mut(hasher, "hasher")?;
            let data = pointer::bytes(data, len, "data")?;
            hasher.0.with(|state| state.work(|hasher, sink| Ok(hasher.push(data, sink)?)))
        })
    }
}

/// Hashes the next bytes of the data, all zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_hasher_push_zeros(
    hasher: *mut Hasher,
    bytes: u64,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let hasher = pointer::borrow_mut(hasher, "hasher")?;
            hasher.0.with(|state| state.work(|hasher, sink| Ok(hasher.push_zeros(bytes, sink)?)))
        })
    }
}

/// Takes the digests of the next data blocks, made earlier with the same data block size and salt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_hasher_push_leaves(
    hasher: *mut Hasher,
    leaves: *const Leaves,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let hasher = pointer::borrow_mut(hasher, "hasher")?;
            let leaves = &pointer::borrow(leaves, "leaves")?.0;
            hasher.0.with(|state| {
                state.work(|hasher, sink| {
                    if !leaves.serve(hasher.geometry().params()) {
                        return Err(verity::Error::OtherLeaves.into());
                    }
                    Ok(hasher.push_digests(leaves.digests(), sink)?)
                })
            })
        })
    }
}

/// Closes the tree.
///
/// @param sealed Receives geometry and root hash, ended with tarfs_sealed_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_hasher_finish(
    hasher: *mut Hasher,
    sealed: *mut *mut Sealed,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let hasher = pointer::borrow_mut(hasher, "hasher")?;
            pointer::output(sealed, "sealed")?;
            let done = hasher.0.with(|state| {
                let gone = || Error::order("the hasher is finished, or a call on it failed");
                let hasher = state.hasher.take().ok_or_else(gone)?;
                Ok(hasher.finish(&mut state.sink)?)
            })?;
            pointer::put(sealed, pointer::give(Sealed(done)));
            Ok(())
        })
    }
}

/// Ends a hasher, finished or not.
///
/// @param hasher A hasher that is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_hasher_free(hasher: *mut Hasher) {
    // SAFETY: the caller passes NULL or a hasher of this library, once.
    unsafe { pointer::free(hasher) }
}
