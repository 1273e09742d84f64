//! Files and partitions that arguments name, opened to be read.
//!
//! Whatever is opened here is remembered: by `unchanged`, as no output may be made of a file that
//! changes meanwhile, and by `protected`, as no output may take its place.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;

use crate::cli::fail::{Done, Fail};
use crate::cli::{quote, warn};
use crate::files::kind::{self, Kind};
use crate::files::{partition, protected, unchanged};

/// Opens a file that may turn out not to be the one that is looked for. The caller then tells
/// `unchanged` to forget it; else `protected` has to be told of it.
pub(crate) fn candidate(path: &Path) -> Done<NamedFile> {
    let file = NamedFile::open(path)?;
    let metadata = unchanged::watch(path, &file).map_err(|error| Fail::of(path, error))?;
    if metadata.is_dir() {
        return Err(Fail::of(path, format_args!("is a directory{}", directory_hint(path))));
    }
    Ok(file)
}

/// Opens a file, or a partition of a disk, and looks at its beginning. No output gets its name if the
/// file changes from then on.
pub(crate) fn input(arg: &Path) -> Done<(NamedFile, Kind)> {
    let (file, kind) = input_or_disk(arg)?;
    if kind != Kind::Gpt {
        return Ok((file, kind));
    }
    let file = partition::only(arg, &file)?;
    Ok((file, Kind::Erofs))
}

/// The same, but a disk with partitions is opened as a whole, if none of them was named.
pub(crate) fn input_or_disk(arg: &Path) -> Done<(NamedFile, Kind)> {
    named(arg, candidate)
}

/// The same of a file that may change afterwards, because a hash tree is put behind it.
pub(crate) fn unwatched(arg: &Path) -> Done<(NamedFile, Kind)> {
    named(arg, |path| Ok(NamedFile::open(path)?))
}

/// What an argument names, opened in this way.
fn named(arg: &Path, open: fn(&Path) -> Done<NamedFile>) -> Done<(NamedFile, Kind)> {
    let (path, number) = partition::split(arg);
    let file = open(&path)?;
    warn::detail(format_args!("reads {}", quote::name(&path)));
    protected::opened(&path, file.file());
    let metadata = file.file().metadata().map_err(|error| Fail::of(&path, error))?;
    if !metadata.is_file() && !metadata.file_type().is_block_device() {
        let why = "is neither a regular file nor a block device (a stream is read as -)";
        return Err(Fail::of(path, why));
    }
    let file = match number {
        Some(number) => partition::numbered(arg, &path, &file, number)?,
        None => file,
    };
    match (kind::of(&file)?, number) {
        (Kind::Gpt, Some(_)) => Err(Fail::of(arg, "is a disk with partitions in a partition")),
        (kind, _) => Ok((file, kind)),
    }
}

/// Whether there is a regular file or a block device at a path.
pub(crate) fn is_readable(path: &Path) -> bool {
    let kind = fs::metadata(path).map(|found| found.file_type());
    kind.is_ok_and(|kind| kind.is_file() || kind.is_block_device())
}

/// How an image is named that this directory looks like.
fn directory_hint(path: &Path) -> String {
    let has = |name: &str| path.join(name).is_file();
    let named = quote::name(path);
    if has("oci-layout") || has("index.json") {
        format!("; the image in it is oci:{named}")
    } else if has("manifest.json") {
        format!("; the image in it is dir:{named}")
    } else {
        String::new()
    }
}
