//! Names below a directory, made and opened one by one from its descriptor on, so that no link leads out of it,
//! neither one of the image nor one that somebody puts there meanwhile.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, chmod, mkdirat, mknodat, openat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

/// Opens a directory of this name, which is made if it is not there. Something else of the name goes.
pub(crate) fn directory(parent: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let parent = parent.as_fd();
    let made = || match mkdirat(parent, name, Mode::RWXU) {
        Err(Errno::EXIST) => Ok(()),
        done => done,
    };
    made()?;
    match open_directory(parent, name) {
        Err(Errno::NOTDIR | Errno::LOOP) => {
            unlinkat(parent, name, AtFlags::empty())?;
            made()?;
            open_directory(parent, name)
        }
        done => done,
    }
}

/// Opens a directory that is there, and no link to one.
pub(crate) fn open_directory(parent: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// Makes what was not there; what has the name goes first, unless it is a directory.
pub(crate) fn anew<T>(
    parent: impl AsFd,
    name: &[u8],
    make: impl Fn() -> Result<T, Errno>,
) -> Result<T, Errno> {
    match make() {
        Err(Errno::EXIST) => {
            let found = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
                return Err(Errno::ISDIR);
            }
            unlinkat(&parent, name, AtFlags::empty())?;
            make()
        }
        done => done,
    }
}

/// A new regular file, to be written.
pub(crate) fn file(parent: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let parent = parent.as_fd();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    anew(parent, name, || openat(parent, name, flags, mode))
}

/// A new symbolic link.
pub(crate) fn symlink(parent: impl AsFd, name: &[u8], target: &[u8]) -> Result<(), Errno> {
    let parent = parent.as_fd();
    anew(parent, name, || symlinkat(target, parent, name))
}

/// A new device, FIFO or socket.
pub(crate) fn node(
    parent: impl AsFd,
    name: &[u8],
    kind: FileType,
    mode: Mode,
    device: u64,
) -> Result<(), Errno> {
    let parent = parent.as_fd();
    anew(parent, name, || mknodat(parent, name, kind, mode, device))
}

/// Sets the mode of what has this name, and is no link.
pub(crate) fn set_mode(parent: impl AsFd, name: &[u8], mode: Mode) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(parent, name, flags, Mode::empty())?;
    // Before Linux 6.6 no call by the name leaves links alone.
    chmod(format!("/proc/self/fd/{}", file.as_raw_fd()), mode)
}
