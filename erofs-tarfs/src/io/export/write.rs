//! One plain output written.

use super::watch::{Watch, Watched};
use super::{Backing, Step};
use crate::disk;
use crate::export::{Plan, Product};
use crate::io::copy::Tell;
use crate::io::disk::{check_with, write_disk_with};
use crate::io::verity::{HashingOptions, seal};
use crate::io::{Copied, Error, NamedFile, PutBlocks, hash_disk_with};
use crate::verity::{Fault, Geometry, Hasher, Leaves, Sealed};
use std::path::Path;

/// What was written.
pub(super) struct Written {
    /// The hash tree, if there is one.
    pub(super) sealed: Option<Sealed>,
    /// How the bytes of the devices got into the disk, if it was written.
    pub(super) copied: Option<Copied>,
}

/// Writes what is planned to a file: an empty one, or one in which the devices [are](super::begun::is_whole) already. `sources` are the devices of the layout, in their order,
/// `leaves` the digests kept of them, none or one for each: with any, the disk is hashed without being
/// read.
pub(super) fn write_plan(
    plan: &Plan<'_>,
    sources: &[&Backing<'_>],
    leaves: &[Option<&Leaves>],
    (out, is_begun): (&NamedFile, bool),
    hashing: &HashingOptions,
    watch: &Watch<'_>,
) -> Result<Written, Error> {
    let (disk, layout) = (plan.disk(), plan.layout());
    check_sources(plan, sources)?;
    let mut written = Written { sealed: None, copied: None };
    if plan.product() != Product::HashTree {
        let tell = &mut |bytes| watch.tell(Step::Writing, bytes);
        let mut copy = |index: usize, from, to, bytes, tell: &mut Tell<'_>| match is_begun {
            true => tell(bytes).map(|()| Copied { in_place: bytes, ..Copied::default() }),
            false => sources[index].copy(from, (out, to), bytes, tell),
        };
        let done = write_disk_with(disk, layout, (out, !is_begun), tell, &mut copy);
        written.copied = Some(done?);
    }
    let Some(geometry) = plan.geometry() else { return Ok(written) };
    out.set_bytes(geometry.end())?;
    let is_written = plan.product() == Product::SealedDisk && leaves.iter().all(Option::is_none);
    written.sealed = Some(match is_written {
        // The disk was just written and is in the cache, so reading it is faster than reading the
        // sources again.
        true => {
            let failed = |error| Error::Write { file: out.path().to_owned(), offset: 0, error };
            let data = Watched { bytes: out, step: Step::Hashing, watch };
            let sealed = seal(&data, out, geometry.clone(), hashing);
            sealed.map_err(|error| watch.why(failed(error)))?
        }
        false => {
            let put = |offset: u64, blocks: &[u8]| out.write_all_at(blocks, offset);
            hash_plan(plan, geometry, sources, leaves, (out.path(), &put), hashing, watch)?
        }
    });
    Ok(written)
}

/// Every source that is a file is as long as the plan needs it.
pub(super) fn check_sources(plan: &Plan<'_>, sources: &[&Backing<'_>]) -> Result<(), Error> {
    check_with(plan.disk(), sources.len(), |index| sources[index].file())
}

/// Hashes a disk that is not written, or whose digests are kept. Hash blocks go to `put`, and errors
/// about them are of the file that is named with it. The sources [are checked](check_sources).
pub(super) fn hash_plan(
    plan: &Plan<'_>,
    geometry: &Geometry,
    sources: &[&Backing<'_>],
    leaves: &[Option<&Leaves>],
    (file, put): (&Path, &PutBlocks<'_, Error>),
    hashing: &HashingOptions,
    watch: &Watch<'_>,
) -> Result<Sealed, Error> {
    let (disk, layout) = (plan.disk(), plan.layout());
    let files: Option<Vec<&NamedFile>> = sources.iter().map(|source| source.file()).collect();
    let done = match files {
        Some(files) => {
            let read = |index: usize, at: u64, buf: &mut [u8]| {
                watch.check()?;
                files[index].read_exact_at(buf, at)
            };
            let (geometry, told) =
                (geometry.clone(), |bytes| (watch.observer)(Step::Hashing, bytes));
            hash_disk_with(disk, layout, &read, leaves, geometry, put, hashing, &told)
        }
        // A source is no file: only this thread may read it.
        None => {
            let mut read = |index: usize, at: u64, buf: &mut [u8]| {
                sources[index].read(at, buf)?;
                watch.tell(Step::Hashing, buf.len() as u64)
            };
            let mut hasher = Hasher::new(geometry.clone());
            let mut put = |offset: u64, blocks: &[u8]| put(offset, blocks);
            disk::hash(disk, layout, leaves, &mut read, &mut hasher, &mut put)
                .and_then(|()| hasher.finish(&mut put))
        }
    };
    done.map_err(|fault| match fault {
        Fault::Caller(error) => error,
        Fault::Verity(error) => Error::Verity { file: file.to_owned(), error },
    })
}
