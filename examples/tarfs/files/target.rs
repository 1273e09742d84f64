//! The output of a job that the library does as a whole. The library knows neither links nor standard
//! output: it is given another path, and whatever it says of that path is said of what the user named.

use std::path::{Path, PathBuf};

use erofs_tarfs::io as tarfs_io;

use crate::cli::fail::{Done, Fail};
use crate::files::output::Output;
use crate::files::place::{self, Place};

/// An output: what the user called it, and what the library is told.
#[derive(Debug)]
pub(crate) struct Target {
    named: PathBuf,
    path: PathBuf,
}

impl Target {
    /// One file, or standard output.
    pub(crate) fn file(named: &Path) -> Done<Self> {
        let path = match place::place(named)? {
            Place::File(file) => file,
            Place::Stdout => free_name(&std::env::temp_dir()),
        };
        Ok(Self { named: named.to_owned(), path })
    }

    /// A directory of files, each of which gets its name there.
    pub(crate) fn directory(named: &Path) -> Self {
        Self { named: named.to_owned(), path: named.to_owned() }
    }

    /// The path that the library is told.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the user calls an output that the library calls so.
    pub(crate) fn name<'p>(&'p self, path: &'p Path) -> &'p Path {
        if path == self.path { &self.named } else { path }
    }

    /// The error of the library, in which the output has the user's name.
    pub(crate) fn fail(&self, error: tarfs_io::Error) -> Fail {
        match error.file() == Some(&self.path) {
            true => Fail::called(error, &self.named),
            false => error.into(),
        }
    }

    /// A file that the library made.
    pub(crate) fn output(&self, file: tarfs_io::Output) -> Done<Output> {
        let name = self.name(file.path()).to_owned();
        Output::of(file, &name)
    }
}

/// A path in a directory at which nothing is. No file gets that name: it only tells the library which
/// directory to use.
fn free_name(directory: &Path) -> PathBuf {
    let id = std::process::id();
    let names = (0_u32..).map(|n| directory.join(format!(".tarfs-stdout-{id}-{n}")));
    let mut free = names.filter(|path| path.symlink_metadata().is_err());
    free.next().unwrap_or_default()
}
