//! A mount at its place in the tree of directories.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, UnmountFlags, move_mount, unmount};

use super::refused::Refusal;
use crate::cli::fail::{Done, Fail};

/// The directory of a mount, absolute and without links.
pub(crate) fn directory(path: &Path) -> Done<PathBuf> {
    let found = fs::canonicalize(path)
        .map_err(|error| Fail::of(path, format_args!("cannot be a place for a mount: {error}")))?;
    match found.is_dir() {
        true => Ok(found),
        false => Err(Fail::of(path, "is no directory: nothing is mounted there")),
    }
}

/// Mounts that were put on a directory, one on the other. They are taken away when this is dropped,
/// unless they are kept.
#[derive(Debug)]
pub(crate) struct Placed {
    directory: PathBuf,
    count: usize,
}

impl Placed {
    /// None yet.
    pub(crate) fn on(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), count: 0 }
    }

    /// Puts one more there.
    pub(crate) fn put(&mut self, mount: &OwnedFd) -> Done {
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        move_mount(mount, "", CWD, &self.directory, flags)
            .map_err(|errno| Refusal::bare(errno).fail(&self.directory))?;
        self.count += 1;
        Ok(())
    }

    /// They stay.
    pub(crate) fn keep(mut self) {
        self.count = 0;
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        let flags = UnmountFlags::NOFOLLOW | UnmountFlags::DETACH;
        for _ in 0..self.count {
            // Nobody can be told.
            let _ = unmount(&self.directory, flags);
        }
    }
}
