//! Extended attributes of files, links themselves among them.

use std::io;
use std::path::Path;

use rustix::fs::{XattrFlags, lgetxattr, llistxattr, lsetxattr};

/// Most bytes that Linux has for the names of a file's attributes, and for a value.
const MOST: usize = 64 << 10;

/// All attributes of a file that this process may read.
pub(crate) fn all(path: &Path) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut names = vec![0; MOST];
    let len = llistxattr(path, &mut names)?;
    let mut all = Vec::new();
    for name in names[..len].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; MOST];
        let len = lgetxattr(path, name, &mut value)?;
        value.truncate(len);
        all.push((name.to_vec(), value));
    }
    Ok(all)
}

/// Sets an attribute.
pub(crate) fn set(path: &Path, name: &[u8], value: &[u8]) -> io::Result<()> {
    Ok(lsetxattr(path, name, value, XattrFlags::empty())?)
}
