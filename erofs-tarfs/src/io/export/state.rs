//! Proof that a file was not written to while it was read.

use std::os::unix::fs::MetadataExt;

use crate::io::{Error, NamedFile};

/// What tells whether a file is still what it was. Programs can set back a modification time, but no
/// change time. A write within the tick of the system's clock in which the file was opened does not
/// show; of a block device nothing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl State {
    /// Whether both are of one file, as it was or is.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.file == other.file && self.file != (0, 0)
    }

    pub(super) fn of(file: &NamedFile) -> Result<Self, Error> {
        let found = file.file().metadata();
        let found = found.map_err(|error| Error::Open { file: file.path().to_owned(), error })?;
        if !found.is_file() {
            return Ok(Self { file: (0, 0), bytes: 0, modified: (0, 0), changed: (0, 0) });
        }
        Ok(Self {
            file: (found.dev(), found.ino()),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}
