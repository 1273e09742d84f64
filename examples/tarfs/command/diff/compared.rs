//! What is compared.

use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::tree::Tree;

/// One of the two.
pub(crate) struct Compared<'a> {
    pub(crate) tree: &'a Tree,
    /// The files of its devices; none if no file is to be read.
    pub(crate) sources: &'a [NamedFile],
    pub(crate) name: &'a Path,
}
