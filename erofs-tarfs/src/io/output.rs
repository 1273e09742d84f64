//! Files that have their names when they are whole, on the disk, and not before.

use alloc::collections::BTreeSet;
use core::sync::atomic::{AtomicU32, Ordering};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process;

use super::{Error, NamedFile};

/// A file that gets its name when it is whole. If it is dropped before, nothing is left of it.
///
/// ```
/// use erofs_tarfs::io::Output;
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("disk");
/// let output = Output::new(&path)?;
/// output.file().write_all_at(b"bytes", 0)?;
/// assert!(!path.exists(), "a program that is killed here leaves nothing");
/// Output::finish(vec![output])?;
/// assert_eq!(std::fs::read(path)?, b"bytes");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Output {
    file: NamedFile,
    /// The name that it has until then, where the file system has no files without names.
    temporary: Option<PathBuf>,
}

impl Output {
    /// An empty file that will be called `path`, for reading and writing.
    ///
    /// # Errors
    /// [`Error::Create`].
    pub fn new(path: &Path) -> Result<Self, Error> {
        Self::within(Self::directory(path), path)
    }

    /// As [`new`](Self::new), but until the file has its name it is in `directory`, which must be on
    /// the same file system.
    ///
    /// # Errors
    /// [`Error::Create`].
    pub fn within(directory: &Path, path: &Path) -> Result<Self, Error> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::open(directory, flags, Mode::from_raw_mode(0o666)) {
            Ok(file) if Path::new("/proc/self/fd").is_dir() => {
                Ok(Self { file: NamedFile::new(path, File::from(file)), temporary: None })
            }
            // This filesystem has no files without names, or there is no /proc to name them by. If the
            // directory itself is at fault, creating a file there says so.
            _ => {
                let create = |temporary: &Path| {
                    OpenOptions::new().read(true).write(true).create_new(true).open(temporary)
                };
                let created = with_spare_name(directory, create);
                let (temporary, file) = created.map_err(|error| cannot(path, error))?;
                Ok(Self { file: NamedFile::new(path, file), temporary: Some(temporary) })
            }
        }
    }

    /// The file, under the name that it will have.
    pub fn file(&self) -> &NamedFile {
        &self.file
    }

    /// The name that it will have.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Changes the name that it will have, to one on the same file system.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn rename(&mut self, path: &Path) -> Result<(), Error> {
        self.file = self.file.named(path.to_owned());
        Ok(())
    }

    /// The directory that a file is in.
    pub fn directory(path: &Path) -> &Path {
        match path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        }
    }

    /// Gives files their names, in place of what has them: their bytes are on the disk before, the
    /// names afterwards.
    ///
    /// # Errors
    /// [`Error::Write`] if their bytes do not get to the disk, [`Error::Create`] if they do not get
    /// their names.
    pub fn finish(outputs: Vec<Self>) -> Result<(), Error> {
        Self::sync(&outputs)?;
        Self::name(outputs)
    }

    /// Gives files that are on the disk their names.
    pub(super) fn name(outputs: Vec<Self>) -> Result<(), Error> {
        let paths: Vec<_> = outputs.iter().map(|output| output.path().to_owned()).collect();
        // What would fail then fails before the first has its name.
        if let Some(path) = paths.iter().find(|path| path.is_dir()) {
            return Err(Error::NotRegular { file: path.clone() });
        }
        let mut new = Vec::new();
        for output in outputs {
            let path = output.path().to_owned();
            let is_new = path.symlink_metadata().is_err();
            if let Err(error) = output.put() {
                // All or none, as far as nothing else had the name.
                new.iter().for_each(|path| drop(fs::remove_file(path)));
                return Err(error);
            }
            if is_new {
                new.push(path);
            }
        }
        let directories: BTreeSet<&Path> = paths.iter().map(|path| Self::directory(path)).collect();
        for directory in directories {
            sync_directory(directory)?;
        }
        Ok(())
    }

    /// Brings the bytes of files to the disk; [`finish`](Self::finish) does too.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn sync(outputs: &[Self]) -> Result<(), Error> {
        for output in outputs {
            let done = output.file.file().sync_all();
            let failed = |error| Error::Write { file: output.path().to_owned(), offset: 0, error };
            done.map_err(failed)?;
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
        // A link never replaces a file. So it gets a spare name, and a rename replaces the file.
        Err(rustix::io::Errno::EXIST) => {
            let link = |temporary: &Path| Ok(link(temporary)?);
            let (temporary, ()) = with_spare_name(Output::directory(path), link)?;
            fs::rename(&temporary, path).inspect_err(|_| {
                let _ = fs::remove_file(&temporary);
            })
        }
        done => Ok(done?),
    }
}

/// Makes something under a name in a directory that nobody has; answers the name too.
fn with_spare_name<T>(
    directory: &Path,
    make: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Other processes may have this number, as the first one of each container has.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".tarfs-{}-{count}", process::id()));
        match make(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && count < u32::MAX => {}
            done => return Ok((path, done?)),
        }
    }
}

/// Brings the names in a directory to the disk.
pub(super) fn sync_directory(directory: &Path) -> Result<(), Error> {
    let synced = File::open(directory).and_then(|file| file.sync_all());
    synced.map_err(|error| cannot(directory, error))
}

fn cannot(path: &Path, error: io::Error) -> Error {
    Error::Create { file: path.to_owned(), error }
}
