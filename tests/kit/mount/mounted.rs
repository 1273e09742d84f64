//! What is mounted, until its guard is dropped; and the two system calls for it.

use std::io;
use std::path::Path;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, UnmountFlags,
    fsconfig_create, fsmount, fsopen, mount, move_mount, unmount,
};
use tempfile::TempDir;

use super::error::context;
use super::loopdev::LoopDevice;

/// Something mounted. Dropping it unmounts, detaches the loop devices below and removes the
/// mount point.
#[derive(Debug)]
pub struct Mounted {
    point: Option<TempDir>,
    /// Detached after the unmount.
    _loops: Vec<LoopDevice>,
    /// Kept until the unmount.
    pub(super) _below: Vec<TempDir>,
}

impl Mounted {
    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.point.as_ref().expect("taken by drop only").path()
    }

    fn new(point: TempDir) -> Self {
        Self { point: Some(point), _loops: Vec::new(), _below: Vec::new() }
    }

    /// By mount(2).
    pub(super) fn mount(
        fstype: &str,
        source: &Path,
        flags: MountFlags,
        options: &[u8],
        loops: Vec<LoopDevice>,
    ) -> io::Result<Self> {
        let point = mount_point()?;
        let data = std::ffi::CString::new(options)?;
        let result = mount(source, point.path(), fstype, flags, data.as_c_str());
        let options = String::from_utf8_lossy(options);
        result.map_err(|error| {
            context(error, &format!("mount -t {fstype} -o '{options}' {source:?}"))
        })?;
        let mut mounted = Self::new(point);
        mounted._loops = loops;
        Ok(mounted)
    }

    /// By the mount API of file descriptors, whose options are not limited to a page.
    pub(super) fn configure(
        fstype: &str,
        attributes: MountAttrFlags,
        set: impl FnOnce(&OwnedFd) -> rustix::io::Result<()>,
    ) -> io::Result<Self> {
        let fs = fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC)
            .map_err(|error| context(error, &format!("fsopen {fstype}")))?;
        let made = set(&fs)
            .and_then(|()| fsconfig_create(&fs))
            .and_then(|()| fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes));
        let made =
            made.map_err(|error| context(error, &format!("{fstype}: {}", kernel_log(&fs))))?;
        let point = mount_point()?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        move_mount(&made, "", CWD, point.path(), flags)?;
        Ok(Self::new(point))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let Some(point) = self.point.take() else { return };
        // Not through `TempDir`, which would empty the filesystem if unmounting failed.
        let path = point.keep();
        if unmount(&path, UnmountFlags::NOFOLLOW).is_err() {
            // Someone still has a file open: gone from sight now, and for good with that file.
            if let Err(error) = unmount(&path, UnmountFlags::NOFOLLOW | UnmountFlags::DETACH) {
                eprintln!("cannot unmount {path:?}: {error}");
            }
        }
        if let Err(error) = std::fs::remove_dir(&path) {
            eprintln!("cannot remove {path:?}: {error}");
        }
    }
}

fn mount_point() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("tarfs-mnt-").tempdir()
}

/// What the kernel has to say about a failed configuration.
fn kernel_log(fs: impl AsFd) -> String {
    let mut lines = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = rustix::io::read(&fs, &mut buffer) {
        lines.push(String::from_utf8_lossy(&buffer[..len]).trim().to_owned());
    }
    lines.join("; ")
}
