//! Files sealed and verified with dm-verity, on several threads.
//!
//! Reading, hashing and writing of one thread overlap with those of the others. Digests that are
//! kept need no data: [`read_leaves`] takes them out of a layer's tree, and
//! [`hash_disk`](super::hash_disk) makes the tree of an image with them.
//!
//! # Examples
//! ```
//! use erofs_tarfs::io::verity::{self, HashingOptions};
//! use erofs_tarfs::verity::{Geometry, HashBytes, Params, HashPlacement};
//! use std::sync::Mutex;
//!
//! let data = vec![7; 1 << 20];
//! let geometry = Geometry::new(&Params::nydus(), data.len() as u64, HashPlacement::OwnFile)?;
//! let tree = Mutex::new(vec![0; geometry.end() as usize]);
//! let sealed = verity::seal(&data[..], &tree, geometry, &HashingOptions::default())?;
//! verity::verify(&data[..], &tree.into_inner().unwrap()[..], &sealed, &HashingOptions::default())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod at;
mod check;
mod leaves;
mod level;
mod seal;
mod threads;

pub use at::{ReadAt, WriteAt};
pub use check::verify;
pub use leaves::read_leaves;
pub use seal::seal;

pub(super) use level::build;

use core::num::NonZero;

use crate::verity::Backend;

/// Bytes of data read at a time: they still are in the cache when they are hashed.
pub(super) const READ: usize = 256 << 10;

/// How to go about it. Nothing here changes a byte.
///
/// ```
/// use core::num::NonZero;
/// use erofs_tarfs::io::verity::HashingOptions;
/// use erofs_tarfs::verity::Backend;
///
/// let two = NonZero::new(2).expect("two are some");
/// let options = HashingOptions::new().threads(two).backend(Backend::Sha2);
/// assert_eq!(options.threads, Some(two));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HashingOptions {
    /// How many threads hash; `None` for as many as the machine has.
    pub threads: Option<NonZero<usize>>,
    /// How blocks are hashed; `None` for the best that the CPU has.
    pub backend: Option<Backend>,
}

impl HashingOptions {
    /// The default: as many threads as the machine has, and the best backend.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many threads hash; by default as many as the machine has.
    #[must_use]
    pub fn threads(self, threads: impl Into<Option<NonZero<usize>>>) -> Self {
        Self { threads: threads.into(), ..self }
    }

    /// Sets how blocks are hashed; by default the best way that the CPU has.
    #[must_use]
    pub fn backend(self, backend: impl Into<Option<Backend>>) -> Self {
        Self { backend: backend.into(), ..self }
    }
}
