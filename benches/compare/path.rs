//! Where programs are.

use std::env;
use std::path::PathBuf;

/// A program in PATH, or where administrators' programs are.
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut all = env::split_paths(&path).chain(more).map(|dir| dir.join(name));
    all.find(|path| path.is_file())
}
