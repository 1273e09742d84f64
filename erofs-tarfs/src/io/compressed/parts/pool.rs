//! Memory for pieces of a stream, compressed or not, that is used again and again.

use alloc::sync::Arc;
use core::mem;
use core::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use crate::io::Buffer;

/// Bytes of a piece: what was read or made is in the cache when it is looked at.
pub(super) const PIECE: usize = 256 << 10;

/// Memory that nobody needs at the moment.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Vec<Buffer>>>);

impl Pool {
    /// Room for [`PIECE`] bytes.
    pub(super) fn take(&self) -> Room {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Room { bytes: spare.unwrap_or_else(|| Buffer::new(PIECE)), pool: self.clone() }
    }
}

/// Memory that goes back to its pool when it is dropped.
pub(super) struct Room {
    bytes: Buffer,
    pool: Pool,
}

impl Drop for Room {
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.bytes);
        self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

impl Deref for Room {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}
