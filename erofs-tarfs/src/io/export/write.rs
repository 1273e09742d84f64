//! One output written.

use crate::export::{Plan, Product};
use crate::io::verity::{Options, seal};
use crate::io::{Copied, Error, NamedFile, hash_disk, write_disk};
use crate::verity::{Leaves, Sealed};

/// What of an output is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The disk is written.
    Writing,
    /// The hash tree is made.
    Hashing,
}

/// What came of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Written {
    /// The hash tree, if there is one.
    pub sealed: Option<Sealed>,
    /// How the bytes of the sources got into the disk, if it was written.
    pub copied: Option<Copied>,
}

/// Writes what is planned to an empty file.
///
/// `sources` are the files of the layout's devices, in their order, `leaves` the digests kept of them,
/// none or one for each: with any, the disk is hashed [without being read](hash_disk). `observer` is
/// told how many bytes each step dealt with, by any thread.
///
/// # Errors
/// As [`write_disk`] and [`hash_disk`].
pub fn write_plan(
    plan: &Plan<'_>,
    sources: &[NamedFile],
    leaves: &[Option<&Leaves>],
    out: &NamedFile,
    options: &Options,
    observer: &(dyn Fn(Step, u64) + Sync),
) -> Result<Written, Error> {
    let (disk, layout) = (plan.disk(), plan.layout());
    let mut written = Written { sealed: None, copied: None };
    if plan.product() != Product::HashTree {
        let observer = &mut |bytes| observer(Step::Writing, bytes);
        written.copied = Some(write_disk(disk, layout, sources, out, observer)?);
    }
    let Some(geometry) = plan.geometry() else { return Ok(written) };
    out.set_bytes(geometry.end())?;
    let is_written = plan.product() == Product::SealedDisk && leaves.iter().all(Option::is_none);
    written.sealed = Some(match is_written {
        // What is in the cache is read again faster than the sources.
        true => {
            observer(Step::Hashing, 0);
            let failed = |error| Error::Write { file: out.path().to_owned(), offset: 0, error };
            seal(out, out, geometry.clone(), options).map_err(failed)?
        }
        false => {
            let observer = &|bytes| observer(Step::Hashing, bytes);
            hash_disk(disk, layout, sources, leaves, geometry.clone(), out, options, observer)?
        }
    });
    Ok(written)
}
