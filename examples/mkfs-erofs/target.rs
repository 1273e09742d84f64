//! The output: where it goes, and what it must not take the place of.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use erofs_tarfs::io::Output;

use crate::fail::{Done, Fail};
use crate::wanted::Source;

/// A file that gets the name `path` when it is whole. A link is followed to the regular file that it
/// leads to. A device, and the tar that is read, are refused.
pub(crate) fn new(path: &Path, source: &Source) -> Done<Output> {
    if path.symlink_metadata().is_err() {
        return Ok(Output::new(path)?);
    }
    let real = fs::canonicalize(path).map_err(|error| Fail::of(path, error))?;
    let there = fs::metadata(&real).map_err(|error| Fail::of(path, error))?;
    if !there.is_file() {
        return Err(Fail::of(path, "is no regular file"));
    }
    if let Source::Tar(tar) = source {
        let read = fs::metadata(tar).map_err(|error| Fail::of(tar, error))?;
        if (read.dev(), read.ino()) == (there.dev(), there.ino()) {
            return Err(Fail::of(path, "is the tar that is read"));
        }
    }
    Ok(Output::new(&real)?)
}
