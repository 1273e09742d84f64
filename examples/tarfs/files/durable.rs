//! Whether what a command makes is brought to the disk, so that it survives a power cut when it is reported.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args as Group;

use crate::cli::fail::{Done, Fail};

/// What commands that write have in common.
#[derive(Debug, Group)]
pub(crate) struct Durability {
    /// Do not wait until outputs are on the disk: after a power cut they may be empty, or not whole. For who
    /// makes them anew then, or syncs by himself.
    #[arg(long)]
    no_sync: bool,
}

/// One command runs in a process.
static NO_SYNC: AtomicBool = AtomicBool::new(false);

impl Durability {
    /// It counts for all that the command writes from now on.
    pub(crate) fn set(&self) {
        NO_SYNC.store(self.no_sync, Ordering::Relaxed);
    }
}

/// Whether outputs are brought to the disk.
pub(crate) fn is_wanted() -> bool {
    !NO_SYNC.load(Ordering::Relaxed)
}

/// Brings all of the filesystem that a directory is on to the disk, if that is wanted.
pub(crate) fn sync_filesystem(path: &Path, directory: &File) -> Done {
    match is_wanted() {
        true => rustix::fs::syncfs(directory)
            .map_err(|errno| Fail::of(path, format_args!("is not on the disk: {errno}"))),
        false => Ok(()),
    }
}

/// Brings a file to the disk, or the names in a directory, if that is wanted.
pub(crate) fn sync(path: &Path, file: &File) -> Done {
    if !is_wanted() {
        return Ok(());
    }
    match file.sync_all() {
        // A file system on which nothing changes has nothing to sync, and says so.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        done => done.map_err(|error| Fail::of(path, error)),
    }
}

/// The same of what was there before, and may be in the keeping of somebody who lets us not read it: then it is
/// theirs to sync.
pub(crate) fn sync_there(path: &Path) -> Done {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        _ => sync_path(path),
    }
}

/// The same of what has a name only.
pub(crate) fn sync_path(path: &Path) -> Done {
    match is_wanted() {
        true => sync(path, &File::open(path).map_err(|error| Fail::of(path, error))?),
        false => Ok(()),
    }
}
