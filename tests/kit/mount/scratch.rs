//! Filesystems to write in.

use std::fs::File;
use std::io;
use std::process::Command;

use rustix::mount::MountFlags;
use tempfile::TempDir;

use super::{LoopDevice, Mounted};
use crate::oracle;

/// A filesystem on a loop device, with features that tmpfs does not have: reflinks, for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DiskFs {
    Xfs,
    Btrfs,
    Ext4,
}

/// An empty tmpfs, which holds all kinds of files and attributes, and fast.
///
/// # Errors
/// The kernel's.
pub fn tmpfs() -> io::Result<Mounted> {
    Mounted::mount("tmpfs", "tmpfs".as_ref(), MountFlags::empty(), b"mode=0755", Vec::new())
}

/// An empty tmpfs that is full after `bytes`.
///
/// # Errors
/// The kernel's.
pub fn small_tmpfs(bytes: u64) -> io::Result<Mounted> {
    let options = format!("mode=0755,size={bytes}");
    let flags = MountFlags::empty();
    Mounted::mount("tmpfs", "tmpfs".as_ref(), flags, options.as_bytes(), Vec::new())
}

/// An empty filesystem of `bytes` (a sparse file; XFS wants 300 MiB), or `None` where its `mkfs`
/// is not installed, as [`oracle`] has it.
///
/// # Errors
/// Those of `mkfs`, the loop device and the kernel.
pub fn scratch_disk(fs: DiskFs, bytes: u64) -> io::Result<Option<Mounted>> {
    let (name, package, quiet) = match fs {
        DiskFs::Xfs => ("xfs", "xfsprogs", "-q"),
        DiskFs::Btrfs => ("btrfs", "btrfs-progs", "-q"),
        DiskFs::Ext4 => ("ext4", "e2fsprogs", "-q"),
    };
    let Some(mkfs) = oracle::tool(&format!("mkfs.{name}"), &format!("apt-get install {package}"))
    else {
        return Ok(None);
    };
    let dir = TempDir::with_prefix("tarfs-disk-")?;
    let file = dir.path().join("disk");
    File::create(&file)?.set_len(bytes)?;
    let output = Command::new(mkfs).arg(quiet).arg(&file).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let device = LoopDevice::with(&file, &[])?;
    let source = device.path().to_owned();
    let mut mounted = Mounted::mount(name, &source, MountFlags::empty(), b"", vec![device])?;
    mounted._below.push(dir);
    Ok(Some(mounted))
}
