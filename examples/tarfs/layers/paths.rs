//! Inodes found by their paths.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::tree::{Content, InodeId, NodeKind, Tree};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;

/// The inode at a path; symbolic links are not followed.
pub(crate) fn lookup(tree: &Tree, path: &Path) -> Option<InodeId> {
    tree.lookup(path.as_os_str().as_bytes())
}

/// The inode at a path of the command line.
pub(crate) fn at(tree: &Tree, image: &Path, path: &OsStr) -> Done<InodeId> {
    let missing = || {
        Fail::of(
            image,
            format_args!("has no {}: `tarfs ls -R` lists what it has", quote::name(path)),
        )
    };
    lookup(tree, Path::new(path)).ok_or_else(missing)
}

/// The target of a symbolic link.
pub(crate) fn link_target(tree: &Tree, id: InodeId) -> Option<&Path> {
    match (tree.kind(id), tree.content(id)) {
        (NodeKind::Symlink, Content::Target(target)) => Some(Path::new(OsStr::from_bytes(target))),
        _ => None,
    }
}
