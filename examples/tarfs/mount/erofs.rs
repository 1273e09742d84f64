//! EROFS by the mount API of file descriptors (fsopen, fsconfig, fsmount): a device each, no page of
//! options, and no mount anywhere until it is put there.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen,
};

use super::attached::{Attached, is_block_device};
use super::refused;
use crate::cli::fail::Done;

/// Bytes of a value that fsconfig(2) takes.
const MAX_VALUE: usize = 255;

/// A filesystem that is mounted nowhere yet; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Detached {
    pub(crate) mount: OwnedFd,
    /// Whether Linux reads the files themselves, without a loop device.
    pub(crate) by_files: bool,
    /// What it is over. From here on the mount keeps them.
    _over: Vec<Attached>,
}

/// Mounts an image over its devices: the files themselves where the kernel can, from 6.12 on, else by a loop
/// device each.
pub(crate) fn of_files(image: &NamedFile, devices: &[NamedFile]) -> Done<Detached> {
    let all = || all(image, devices);
    if all().all(|file| !file.is_range() && !is_block_device(file)) {
        let files: Vec<_> = all().map(Attached::file).collect::<Done<_>>()?;
        if files.iter().all(|file| file.path().as_os_str().as_bytes().len() <= MAX_VALUE) {
            match configured(&files) {
                Ok(mount) => return Ok(Detached { mount, by_files: true, _over: files }),
                // The kernel is older, or can't have files of that filesystem (tmpfs).
                Err(refusal) if refusal.errno == Errno::NOTBLK => {}
                Err(refusal) => return Err(refusal.fail(image.path())),
            }
        }
    }
    over_loop_devices(image, devices)
}

/// Mounts an image over its devices: a loop device over each, but for what is a block device.
pub(crate) fn over_loop_devices(image: &NamedFile, devices: &[NamedFile]) -> Done<Detached> {
    let over: Vec<_> = all(image, devices).map(Attached::device).collect::<Done<_>>()?;
    let mount = configured(&over).map_err(|refusal| refusal.fail(image.path()))?;
    Ok(Detached { mount, by_files: false, _over: over })
}

fn all<'a>(image: &'a NamedFile, devices: &'a [NamedFile]) -> impl Iterator<Item = &'a NamedFile> {
    [image].into_iter().chain(devices)
}

/// Mounts a block device that is there; `image` is what it is called in errors.
pub(crate) fn of_device(device: &Path, image: &Path) -> Done<Detached> {
    let over = vec![Attached::Itself(device.to_owned())];
    let mount = configured(&over).map_err(|refusal| refusal.fail(image))?;
    Ok(Detached { mount, by_files: false, _over: over })
}

/// A read-only mount of the first over the others.
fn configured(over: &[Attached]) -> Result<OwnedFd, refused::Refusal> {
    let fs = fsopen("erofs", FsOpenFlags::FSOPEN_CLOEXEC).map_err(refused::Refusal::bare)?;
    let set = || {
        // Else the kernel opens block devices to write, which read-only ones refuse.
        fsconfig_set_flag(&fs, "ro")?;
        for (index, file) in over.iter().enumerate() {
            let key = if index == 0 { "source" } else { "device" };
            fsconfig_set_string(&fs, key, file.path())?;
        }
        fsconfig_create(&fs)?;
        fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_RDONLY)
    };
    set().map_err(|errno| refused::Refusal::new(errno, &fs))
}
