//! Where an output goes, and what it must not take the place of.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, Output};
use erofs_tarfs::layout::{self, LayoutOptions};
use erofs_tarfs::tree::Tree;

use crate::fail::{Done, Fail};

/// The file that an output takes the place of: a link is followed to it. What is no regular file, and
/// files that are read, are refused.
pub(crate) fn path<'a>(path: &Path, read: impl IntoIterator<Item = &'a Path>) -> Done<PathBuf> {
    if path.symlink_metadata().is_err() {
        return Ok(path.to_owned());
    }
    let real = fs::canonicalize(path).map_err(|error| Fail::of(path, error))?;
    let there = fs::metadata(&real).map_err(|error| Fail::of(path, error))?;
    if !there.is_file() {
        return Err(tarfs_io::Error::NotRegular { file: path.to_owned() }.into());
    }
    for input in read {
        let input = fs::metadata(input).map_err(|error| Fail::of(input, error))?;
        if (input.dev(), input.ino()) == (there.dev(), there.ino()) {
            return Err(tarfs_io::Error::IsInput { file: path.to_owned() }.into());
        }
    }
    Ok(real)
}

/// Whether two outputs, which need not be there yet, would be one file.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let directory = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::canonicalize(parent).ok(),
        _ => fs::canonicalize(".").ok(),
    };
    one.file_name() == other.file_name() && directory(one) == directory(other)
}

/// Writes the bootstrap of a tree to an output, which has no name yet.
pub(crate) fn write(tree: &Tree, out: &Output) -> Done {
    let layout = layout::plan(tree, &LayoutOptions::default());
    let layout = layout.map_err(|error| Fail::of(out.path(), error))?;
    Ok(tarfs_io::write_metadata(&layout, out.file())?)
}
