//! Mode, owner, time and extended attributes of what was extracted.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::PathBuf;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use erofs_tarfs::tree::{Attributes, InodeId, NodeKind, Tree};
use rustix::fs::{
    AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod, fchown, fsetxattr,
    futimens, lsetxattr, utimensat,
};
use rustix::io::Errno;

use super::directory;
use super::missing::{Missing, Of};

/// What a file, or a directory, is called in the directory that it is in.
pub(crate) struct Named<'a> {
    pub(crate) parent: BorrowedFd<'a>,
    pub(crate) name: &'a [u8],
}

/// Who extracts, and what could not be done so far.
#[derive(Debug)]
pub(crate) struct Restoring {
    /// Whether files are given to their owners.
    pub(crate) owners: bool,
    pub(crate) missing: Missing,
}

impl Restoring {
    /// Sets everything of an open file or directory. The owner comes first, as it takes bits of the mode and
    /// capabilities away; the time last, as all else changes it.
    pub(crate) fn open(
        &mut self,
        fd: impl AsFd,
        tree: &Tree,
        id: InodeId,
        path: &[u8],
    ) -> Result<(), Errno> {
        let fd = fd.as_fd();
        let attributes = tree.attributes(id);
        let mut mode = Mode::from_raw_mode(attributes.mode.into());
        match self.owners {
            true => fchown(fd, Some(uid(&attributes)), Some(gid(&attributes)))?,
            false => {
                self.missing.count(Of::Owner, path);
                mode -= Mode::SUID | Mode::SGID;
            }
        }
        fchmod(fd, mode)?;
        self.xattrs(tree, id, path, |name, value| fsetxattr(fd, name, value, XattrFlags::empty()))?;
        futimens(fd, &times(&attributes))
    }

    /// The same of what is not opened: links, devices, FIFOs. They were made with their mode, of which a new owner
    /// takes bits away.
    pub(crate) fn named(
        &mut self,
        at: &Named<'_>,
        tree: &Tree,
        id: InodeId,
        path: &[u8],
    ) -> Result<(), Errno> {
        let attributes = tree.attributes(id);
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        match self.owners {
            true => {
                let (uid, gid) = (uid(&attributes), gid(&attributes));
                chownat(at.parent, at.name, Some(uid), Some(gid), flags)?;
            }
            false => self.missing.count(Of::Owner, path),
        }
        let special = u32::from(attributes.mode) & 0o6000 != 0;
        if self.owners && special && tree.kind(id) != NodeKind::Symlink {
            directory::set_mode(at.parent, at.name, Mode::from_raw_mode(attributes.mode.into()))?;
        }
        // There is no call for it by the directory's descriptor before Linux 6.13; of the last name no link is
        // followed.
        let mut by_path = PathBuf::from(format!("/proc/self/fd/{}", at.parent.as_raw_fd()));
        by_path.push(OsStr::from_bytes(at.name));
        self.xattrs(tree, id, path, |name, value| {
            lsetxattr(&by_path, name, value, XattrFlags::empty())
        })?;
        utimensat(at.parent, at.name, &times(&attributes), flags)
    }

    fn xattrs(
        &mut self,
        tree: &Tree,
        id: InodeId,
        path: &[u8],
        set: impl Fn(&[u8], &[u8]) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let opaque: (&[u8], &[u8]) = (b"trusted.overlay.opaque", b"y");
        let mark = (tree.kind(id) == NodeKind::Directory && tree.is_opaque(id)).then_some(opaque);
        for (name, value) in tree.xattrs(id).chain(mark) {
            // A capability is for the owner's file what a setuid bit is: rights of whoever made the image.
            if !self.owners && name == b"security.capability" {
                self.missing.count(Of::Xattr, path);
                continue;
            }
            match set(name, value) {
                Err(Errno::PERM | Errno::ACCESS | Errno::NOTSUP | Errno::INVAL) => {
                    self.missing.count(Of::Xattr, path);
                }
                done => done?,
            }
        }
        Ok(())
    }
}

fn uid(attributes: &Attributes) -> Uid {
    Uid::from_raw(attributes.uid)
}

fn gid(attributes: &Attributes) -> Gid {
    Gid::from_raw(attributes.gid)
}

/// The time of the last change; what the last access was no image says.
fn times(attributes: &Attributes) -> Timestamps {
    let mtime = attributes.mtime;
    let time = Timespec { tv_sec: mtime.secs, tv_nsec: mtime.nanos.into() };
    Timestamps { last_access: time, last_modification: time }
}
