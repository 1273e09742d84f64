//! Names that files and directories have for a moment, and what a kill leaves under them.
//!
//! Whoever has something under such a name holds a lock on it, which ends with the process. So a name whose
//! lock is free is a leftover, and is removed by who next wants such a name in that directory. Where a file
//! system has no locks, or other machines may have it too, leftovers stay.

use alloc::string::String;
use core::hash::BuildHasher;
use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags};
use std::fs::{self, File};
use std::hash::RandomState;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process;

/// What such a name begins with; the number of the process, and 16 random digits follow.
const PREFIX: &str = ".tarfs-";

/// How often somebody may have a name, or take what was just made for a leftover.
const ATTEMPTS: usize = 1000;

/// Makes something under a name in a directory that nobody has, and locks it; answers the name too.
///
/// What a kill left there before is removed.
pub(super) fn make<T: AsFd>(
    directory: &Path,
    make: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    remove_leftovers(directory);
    for _ in 0..ATTEMPTS {
        let random = RandomState::new().hash_one(process::id());
        let path = directory.join(format!("{PREFIX}{}-{random:016x}", process::id()));
        match make(&path) {
            // Before it was locked, another process may have taken it for a leftover.
            Ok(made) if lock(&made) != Locked::BySomebody && is_there(&made) => {
                return Ok((path, made));
            }
            Ok(_) => {
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Makes a directory under such a name; the file holds its lock.
pub(super) fn make_directory(beside: &Path) -> io::Result<(PathBuf, File)> {
    make(beside, |path| {
        fs::create_dir(path)?;
        File::open(path).map_err(|error| match error.kind() {
            // Somebody took it for a leftover before it was locked: once more.
            io::ErrorKind::NotFound => io::ErrorKind::AlreadyExists.into(),
            _ => error,
        })
    })
}

/// Removes a directory with its files: those that an export puts into it.
pub(super) fn remove_directory(path: &Path) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if let Ok(directory) = rustix::fs::open(path, flags, Mode::empty()) {
        empty(&directory);
    }
    let _ = fs::remove_dir(path);
}

/// Whether such a name could be ours.
fn is_ours(name: &str) -> bool {
    let Some((process, random)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    let digits =
        |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(is);
    digits(process, u8::is_ascii_digit)
        && random.len() == 16
        && digits(random, u8::is_ascii_hexdigit)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Locked {
    ByUs,
    BySomebody,
    /// There are no locks here.
    Never,
}

/// Lets go of a lock: what has its own name now is no leftover, and somebody may want to lock it.
pub(super) fn unlock(file: impl AsFd) {
    let _ = rustix::fs::flock(file, FlockOperation::Unlock);
}

fn lock(file: impl AsFd) -> Locked {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Locked::ByUs,
        Err(rustix::io::Errno::WOULDBLOCK) => Locked::BySomebody,
        Err(_) => Locked::Never,
    }
}

/// Whether a file has a name still, as far as can be told.
fn is_there(file: impl AsFd) -> bool {
    rustix::fs::fstat(file).map_or(true, |found| found.st_nlink > 0)
}

/// Removes what a kill left in a directory. That fails where somebody else may remove it only; then it
/// stays, and is in nobody's way.
fn remove_leftovers(directory: &Path) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(within) = rustix::fs::open(directory, flags, Mode::empty()) else { return };
    // There a lock that is held on another machine may look free.
    if rustix::fs::fstatfs(&within).is_ok_and(|found| REMOTE.contains(&(found.f_type as u32))) {
        return;
    }
    for name in names(&within, is_ours) {
        remove_leftover(&within, &name);
    }
}

/// File systems that other machines may have too: NFS, FUSE, 9P, CIFS, SMB 2.
const REMOTE: [u32; 5] = [0x6969, 0x6573_5546, 0x0102_1997, 0xff53_4d42, 0xfe53_4d42];

/// Those of the names in a directory that are wanted, and are text, as ours are.
fn names(directory: &OwnedFd, is_wanted: fn(&str) -> bool) -> Vec<String> {
    let Ok(entries) = Dir::read_from(directory) else { return Vec::new() };
    let wanted = |entry: rustix::fs::DirEntry| {
        let name = entry.file_name().to_str().ok()?;
        is_wanted(name).then(|| String::from(name))
    };
    entries.filter_map(|entry| wanted(entry.ok()?)).collect()
}

fn remove_leftover(within: &OwnedFd, name: &str) -> Option<()> {
    // Nobody waits for the other end of a pipe that has such a name.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(within, name, flags, Mode::empty()).ok()?;
    let found = rustix::fs::fstat(&file).ok()?;
    let kind = FileType::from_raw_mode(found.st_mode);
    if !matches!(kind, FileType::RegularFile | FileType::Directory) || lock(&file) != Locked::ByUs {
        return None;
    }
    // Whoever had it may have given it another name, and ended, before it was locked here.
    let there = rustix::fs::statat(within, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    if (there.st_dev, there.st_ino) != (found.st_dev, found.st_ino) {
        return None;
    }
    if kind == FileType::Directory {
        empty(&file);
        return rustix::fs::unlinkat(within, name, AtFlags::REMOVEDIR).ok();
    }
    rustix::fs::unlinkat(within, name, AtFlags::empty()).ok()
}

/// Removes the files in a directory; what is in directories below stays.
fn empty(directory: &OwnedFd) {
    for name in names(directory, |name| !matches!(name, "." | "..")) {
        let _ = rustix::fs::unlinkat(directory, name.as_str(), AtFlags::empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kill_left_is_removed_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        // As if processes were killed that had these.
        let left = at(".tarfs-4711-00000000000000aa");
        let left_directory = at(".tarfs-4711-00000000000000bb");
        fs::write(&left, "half").unwrap();
        fs::create_dir(&left_directory).unwrap();
        fs::write(left_directory.join("a.disk"), "whole").unwrap();
        // One whose process goes on, names that are somebody else's, and a link.
        let (held, _lock) = make(dir.path(), |path| File::create_new(path)).unwrap();
        let others = [".tarfs-1-2", ".tarfs-x-00000000000000aa", ".tarfs-4711-00000000000000az"];
        others.iter().for_each(|name| fs::write(at(name), "").unwrap());
        let link = at(".tarfs-4711-00000000000000cc");
        std::os::unix::fs::symlink(&held, &link).unwrap();
        fs::write(&left, "half").unwrap();

        let (path, _) = make_directory(dir.path()).unwrap();
        assert!(path.is_dir());
        assert!(!left.exists() && !left_directory.exists());
        assert!(held.exists() && link.is_symlink());
        assert!(others.iter().all(|name| at(name).exists()));
        // Its lock is gone by now, as if its process were.
        remove_leftovers(dir.path());
        assert!(!path.exists());
    }
}
