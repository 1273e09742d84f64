//! overlayfs over a mounted image, for a root that can be written to.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::str::FromStr;
use std::{fs, io};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen,
};

use super::refused::Refusal;
use crate::cli::fail::{Done, Fail};
use crate::files::xattrs;

/// What overlayfs wants of both, and says in the kernel's log alone.
const DIRECTORIES: &str = " (`dmesg` may say why; UPPERDIR and WORKDIR have to be two directories of one filesystem, neither \
                           in the other)";

/// An option of overlayfs: its name, and its value if it has one.
#[derive(Clone, Debug)]
pub(crate) struct Setting(String, Option<String>);

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if ["source", "upperdir", "workdir"].contains(&name)
            || ["lowerdir", "datadir"].iter().any(|of| name.starts_with(of))
        {
            return Err(format!("{name} is what the image and --overlay say"));
        }
        if name == "ro" {
            return Err(
                "an overlay is for writing: without --overlay the mount is read-only".to_owned()
            );
        }
        Ok(Self(name.to_owned(), value))
    }
}

/// An overlay over what is mounted on `lower`; changes go to `upper`. It is mounted nowhere yet.
///
/// overlayfs keeps a mount of its own of the lower directory, so that the overlay may cover it.
///
/// Files of several filesystems have a device number of each in an overlay, and none that of its directories, but for
/// `xino`: programs that stay on one filesystem would pass all files over.
pub(crate) fn over(lower: &Path, upper: &Path, work: &Path, settings: &[Setting]) -> Done<OwnedFd> {
    let fs = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
        .map_err(|errno| Refusal::bare(errno).fail(upper))?;
    let set = || {
        fsconfig_set_string(&fs, "source", "tarfs")?;
        fsconfig_set_string(&fs, "lowerdir", escaped(lower, b"\\:"))?;
        fsconfig_set_string(&fs, "upperdir", escaped(upper, b"\\"))?;
        fsconfig_set_string(&fs, "workdir", escaped(work, b"\\"))?;
        fsconfig_set_string(&fs, "xino", "auto")?;
        for Setting(name, value) in settings {
            match value {
                Some(value) => fsconfig_set_string(&fs, name.as_str(), value.as_str())?,
                None => fsconfig_set_flag(&fs, name.as_str())?,
            }
        }
        fsconfig_create(&fs)?;
        fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
    };
    set().map_err(|errno| {
        let refusal = Refusal::new(errno, &fs);
        match errno {
            Errno::INVAL => refusal.fail_hinted(upper, DIRECTORIES),
            _ => refusal.fail(upper),
        }
    })
}

/// Gives an upper directory that was just made what the root of the mount below has: overlayfs shows the
/// upper directory's mode, owner, times and attributes as those of its root.
pub(crate) fn as_root_of(lower: &Path, upper: &Path) -> Done {
    let failed = |error: io::Error| Fail::of(upper, error);
    let found = fs::metadata(lower).map_err(failed)?;
    chown(upper, Some(found.uid()), Some(found.gid())).map_err(failed)?;
    fs::set_permissions(upper, found.permissions()).map_err(failed)?;
    let time = |secs, nanos| Timespec { tv_sec: secs, tv_nsec: nanos };
    let mtime = time(found.mtime(), found.mtime_nsec());
    for (name, value) in xattrs::all(lower).map_err(failed)? {
        xattrs::set(upper, &name, &value).map_err(failed)?;
    }
    let times = Timestamps { last_access: mtime, last_modification: mtime };
    utimensat(CWD, upper, &times, AtFlags::empty()).map_err(|errno| failed(errno.into()))
}

/// A path as overlayfs reads it: it takes a backslash before what has a meaning to it.
pub(crate) fn escaped(path: &Path, special: &[u8]) -> OsString {
    let mut bytes = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if special.contains(byte) {
            bytes.push(b'\\');
        }
        bytes.push(*byte);
    }
    OsString::from_vec(bytes)
}
