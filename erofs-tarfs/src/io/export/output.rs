//! Files that have their names when they are whole, on the disk, and not before.

use core::sync::atomic::{AtomicU64, Ordering};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process;

use crate::io::{Error, NamedFile};

/// A file to be.
#[derive(Debug)]
pub(super) struct Output {
    file: NamedFile,
    /// The name that it has until then, where the file system has no files without names.
    temporary: Option<PathBuf>,
}

impl Output {
    /// An empty file that will be called `path`.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::open(directory(path), flags, Mode::from_raw_mode(0o666)) {
            Ok(file) if Path::new("/proc/self/fd").is_dir() => {
                Ok(Self { file: NamedFile::new(path, File::from(file)), temporary: None })
            }
            // What is wrong with the directory, the other way tells too.
            _ => {
                let temporary = spare_name(path);
                let file =
                    OpenOptions::new().read(true).write(true).create_new(true).open(&temporary);
                let file = file.map_err(|error| cannot(path, error))?;
                Ok(Self { file: NamedFile::new(path, file), temporary: Some(temporary) })
            }
        }
    }

    /// The file.
    pub(super) fn file(&self) -> &NamedFile {
        &self.file
    }

    /// Gives files their names, in place of what has them: their bytes are on the disk before, the
    /// names afterwards.
    pub(super) fn finish(outputs: Vec<Self>) -> Result<(), Error> {
        for output in &outputs {
            let done = output.file.file().sync_all();
            done.map_err(|error| cannot(output.file.path(), error))?;
        }
        let paths: Vec<_> = outputs.iter().map(|output| output.file.path().to_owned()).collect();
        outputs.into_iter().try_for_each(Self::put)?;
        for path in &paths {
            let synced = File::open(directory(path)).and_then(|directory| directory.sync_all());
            synced.map_err(|error| cannot(path, error))?;
        }
        Ok(())
    }

    fn put(mut self) -> Result<(), Error> {
        let path = self.file.path();
        let done = match self.temporary.take() {
            Some(temporary) => fs::rename(&temporary, path).inspect_err(|_| {
                let _ = fs::remove_file(&temporary);
            }),
            None => name(self.file.file(), path),
        };
        done.map_err(|error| cannot(path, error))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Gives a file without a name this one.
fn name(file: &File, path: &Path) -> io::Result<()> {
    let link = |path: &Path| {
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        rustix::fs::linkat(CWD, own, CWD, path, AtFlags::SYMLINK_FOLLOW)
    };
    match link(path) {
        // A link takes nobody's place, a new name does.
        Err(rustix::io::Errno::EXIST) => {
            let temporary = spare_name(path);
            link(&temporary)?;
            fs::rename(&temporary, path).inspect_err(|_| {
                let _ = fs::remove_file(&temporary);
            })
        }
        done => Ok(done?),
    }
}

/// A name in the same directory that nobody has.
fn spare_name(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    directory(path).join(format!(".tarfs-{}-{count}", process::id()))
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

fn cannot(path: &Path, error: io::Error) -> Error {
    Error::Write { file: path.to_owned(), offset: 0, error }
}
