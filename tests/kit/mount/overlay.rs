//! Overlayfs over lower directories only: the kernel's own idea of a stack of layers.

use std::io;
use std::path::Path;

use rustix::mount::{MountAttrFlags, fsconfig_set_string};
use tempfile::TempDir;

use super::Mounted;

/// Mounts a read-only overlay of directories, the lowest first.
///
/// Overlayfs wants two lower directories where there is no upper one: an empty one is put below
/// a single directory. Up to 499 fit; paths up to 255 bytes, of any characters.
///
/// # Errors
/// The kernel's, with what it logged.
pub fn overlay(lowest_first: &[impl AsRef<Path>]) -> io::Result<Mounted> {
    let empty = match lowest_first {
        [_] | [] => Some(TempDir::with_prefix("tarfs-empty-")?),
        _ => None,
    };
    let mut mounted = Mounted::configure("overlay", MountAttrFlags::MOUNT_ATTR_RDONLY, |fs| {
        fsconfig_set_string(fs, "source", "overlay")?;
        // The kernel takes them from the top.
        for lower in lowest_first.iter().rev() {
            fsconfig_set_string(fs, "lowerdir+", lower.as_ref())?;
        }
        empty.iter().try_for_each(|dir| fsconfig_set_string(fs, "lowerdir+", dir.path()))
    })?;
    mounted._below.extend(empty);
    Ok(mounted)
}
