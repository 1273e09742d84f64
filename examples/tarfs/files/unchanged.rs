//! Proof that what was read did not change meanwhile.
//!
//! Data is copied, hashed and indexed at different moments. If a file changes between them, what
//! comes out is a mix that no single state of the file ever was. So each input is remembered when
//! it is opened (which file, length, times of content and of inode), and no output gets its name
//! before all are found as they were. Programs can set back a modification time, but no change
//! time. Of a block device only its number and length are known: its node's times say nothing of what
//! is written to it.

use std::cell::RefCell;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use rustix::fs::{SeekFrom, seek};
use rustix::time::{ClockId, clock_gettime};

use crate::cli::fail::{Done, Fail};

/// What tells whether a file is still what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl State {
    /// The state of a file. Its length is asked for only if it is a block device.
    fn of(found: &Metadata, bytes: impl FnOnce() -> io::Result<u64>) -> io::Result<Self> {
        if found.file_type().is_block_device() {
            let (device, bytes) = (found.rdev(), bytes()?);
            return Ok(Self { device, inode: 0, bytes, modified: (0, 0), changed: (0, 0) });
        }
        Ok(Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    /// In which way another state of the file differs.
    fn difference(&self, now: &Self) -> Option<String> {
        if (self.device, self.inode) != (now.device, now.inode) {
            return Some("was replaced by another file while it was read".to_owned());
        }
        if self.bytes != now.bytes {
            let (was, is) = (self.bytes, now.bytes);
            return Some(format!("had {was} bytes and has {is} now: it changed while it was read"));
        }
        (self != now).then(|| "changed while it was read".to_owned())
    }
}

thread_local! {
    /// What this command has opened to read.
    static WATCHED: RefCell<Vec<(PathBuf, State)>> = const { RefCell::new(Vec::new()) };
}

/// Remembers a file that was just opened. Nothing may have been read from it yet.
pub(crate) fn watch(path: &Path, file: &NamedFile) -> io::Result<Metadata> {
    let bytes = || file.bytes().map_err(io::Error::other);
    let file = file.file();
    let mut before = file.metadata()?;
    for _ in 0..PATIENCE {
        wait_for_the_tick(&before);
        wait_for_writers(file);
        let found = file.metadata()?;
        // From here on whatever writes to it first gives it another change time.
        let state = State::of(&found, bytes)?;
        if State::of(&before, bytes)? == state {
            WATCHED.with_borrow_mut(|watched| watched.push((path.to_owned(), state)));
            return Ok(found);
        }
        before = found;
    }
    Err(io::Error::other("is being written to"))
}

/// How often a file may have changed while it is opened.
const PATIENCE: usize = 16;

/// The kernel's times move in ticks of some milliseconds. A change in the tick of the last one would
/// not show, so that tick has to be over.
fn wait_for_the_tick(found: &Metadata) {
    let changed = (found.ctime(), found.ctime_nsec());
    for _ in 0..20 {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        if (now.tv_sec, now.tv_nsec) != changed {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A call that writes sets the change time when it begins, and may go on for long after that. Some
/// filesystems let a reader wait until it ends, others let one wait who looks for a hole: so both is
/// done.
fn wait_for_writers(file: &fs::File) {
    // Only the waiting is wanted: what these answer, or that there is no hole, says nothing.
    let _ = file.read_at(&mut [0], 0);
    let _ = seek(file, SeekFrom::Hole(0));
    let _ = seek(file, SeekFrom::Start(0));
}

/// Forgets a file that was looked at only to see that it is not the one.
pub(crate) fn forget(path: &Path) {
    WATCHED.with_borrow_mut(|watched| {
        if let Some(last) = watched.iter().rposition(|(found, _)| found == path) {
            watched.remove(last);
        }
    });
}

/// Makes sure that all files that were read since the last call are as they were.
pub(crate) fn check() -> Done {
    let watched = WATCHED.with_borrow_mut(std::mem::take);
    for (path, before) in watched {
        let found = fs::metadata(&path).map_err(|error| {
            Fail::of(&path, format_args!("was there, and is not any more: {error}"))
        })?;
        let bytes = || NamedFile::open(&path)?.bytes();
        let bytes = || bytes().map_err(|error: tarfs_io::Error| io::Error::other(error));
        let now = State::of(&found, bytes).map_err(|error| Fail::of(&path, error))?;
        if let Some(why) = before.difference(&now) {
            return Err(Fail::of(&path, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_state_counts() {
        let was = State { device: 1, inode: 2, bytes: 3, modified: (4, 5), changed: (6, 7) };
        assert_eq!(was.difference(&was), None);
        for now in [
            State { device: 9, ..was },
            State { inode: 9, ..was },
            State { bytes: 9, ..was },
            State { modified: (4, 9), ..was },
            State { changed: (6, 9), ..was },
        ] {
            assert!(was.difference(&now).is_some(), "{now:?}");
        }
    }
}
