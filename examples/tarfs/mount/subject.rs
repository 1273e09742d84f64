//! What is to be mounted.

use std::path::PathBuf;

use erofs_tarfs::io::NamedFile;

use super::source::Source;

/// What is to be mounted.
pub(crate) struct Subject<'a> {
    pub(crate) args: &'a Source,
    /// What it is called in errors.
    pub(crate) name: PathBuf,
    pub(crate) file: NamedFile,
}
