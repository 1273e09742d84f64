//! Files that have their names when they are whole, on the disk, and not before.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use super::{Error, NamedFile, spare};

/// A file that gets its name when it is whole. If it is dropped before, nothing is left of it.
///
/// A file that has its name survives a power cut: its bytes are on the disk before, and the name is when
/// [`finish`](Self::finish) returns. [`synced`](Self::synced) does without.
///
/// Where the file system has no files without names, or there is no `/proc`, it is called
/// `.tarfs-PROCESS-DIGITS` until then. So is, for a moment, what takes the place of another file. A kill
/// leaves such a name; the next output that needs one in that directory removes it.
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
    /// Where it was created.
    created_in: PathBuf,
    /// The directory in which it gets its name, if that is another, which will be renamed.
    stand_in: Option<Arc<Path>>,
    /// Whether bytes and name are brought to the disk.
    synced: bool,
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
        let output = |file, temporary| Self {
            file: NamedFile::new(path, file),
            temporary,
            created_in: directory.to_owned(),
            stand_in: None,
            synced: true,
        };
        match rustix::fs::open(directory, flags, Mode::from_raw_mode(0o666)) {
            Ok(file) if Path::new("/proc/self/fd").is_dir() => Ok(output(File::from(file), None)),
            // This filesystem has no files without names, or there is no /proc to name them by. If the
            // directory itself is at fault, creating a file there says so.
            _ => {
                let create = |temporary: &Path| {
                    OpenOptions::new().read(true).write(true).create_new(true).open(temporary)
                };
                let created = spare::make(directory, create);
                let (temporary, file) = created.map_err(|error| cannot(path, error))?;
                Ok(output(file, Some(temporary)))
            }
        }
    }

    /// A file in a directory that gets no name: it is gone when it is closed, or the process ends. `name`
    /// is what errors call it.
    ///
    /// # Errors
    /// [`Error::Create`], which names the directory.
    pub fn scratch(directory: &Path, name: &Path) -> Result<NamedFile, Error> {
        // Where it had to have a name, it loses that at once.
        let output = Self::within(directory, directory)?;
        Ok(output.file.try_clone()?.named(name.to_owned()))
    }

    /// Another file that will be called `path`, beside this one: it is created where this one was, and
    /// gets its name where this one does.
    ///
    /// # Errors
    /// [`Error::Create`].
    pub fn sibling(&self, path: &Path) -> Result<Self, Error> {
        let mut other = Self::within(&self.created_in, path)?;
        other.stand_in.clone_from(&self.stand_in);
        Ok(other.synced(self.synced))
    }

    /// Sets whether bytes and name are brought to the disk, so that they survive a power cut; by default
    /// they are. Without it a name may lead to a file that is empty or not whole after one.
    #[must_use]
    pub fn synced(mut self, synced: bool) -> Self {
        self.synced = synced;
        self
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
    /// names afterwards, of those that are [`synced`](Self::synced).
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
        let paths: Vec<_> = outputs.iter().map(Self::named).collect();
        // What would fail then fails before the first has its name.
        if let Some(path) = paths.iter().find(|path| path.is_dir()) {
            return Err(Error::NotRegular { file: path.clone() });
        }
        let synced: Vec<_> = outputs.iter().map(|output| output.synced).collect();
        let mut new = Vec::new();
        for (output, path) in outputs.into_iter().zip(&paths) {
            let is_new = path.symlink_metadata().is_err();
            if let Err(error) = output.put(path) {
                // All or none, as far as nothing else had the name.
                new.iter().for_each(|path| drop(fs::remove_file(path)));
                return Err(error);
            }
            if is_new {
                new.push(path);
            }
        }
        let synced = paths.iter().zip(synced).filter(|(_, synced)| *synced);
        let named = synced.map(|(path, _)| (Self::directory(path), path));
        // Of each directory once, with a name in it that errors are about.
        let named: BTreeMap<&Path, &PathBuf> = named.collect();
        named.into_iter().try_for_each(|(directory, path)| sync_directory(directory, path))
    }

    /// Brings the bytes of files to the disk; [`finish`](Self::finish) does too. Those that are not to be
    /// [`synced`](Self::synced) are passed over.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn sync(outputs: &[Self]) -> Result<(), Error> {
        for output in outputs.iter().filter(|output| output.synced) {
            let done = output.file.file().sync_all();
            let failed = |error| Error::Write { file: output.path().to_owned(), offset: 0, error };
            done.map_err(failed)?;
        }
        Ok(())
    }

    /// Lets files get their names in a directory that stands in for theirs.
    pub(super) fn put_into(&mut self, directory: Arc<Path>) {
        self.stand_in = Some(directory);
    }

    /// The name that it gets now.
    fn named(&self) -> PathBuf {
        match (&self.stand_in, self.path().file_name()) {
            (Some(directory), Some(name)) => directory.join(name),
            _ => self.path().to_owned(),
        }
    }

    fn put(mut self, to: &Path) -> Result<(), Error> {
        let done = match self.temporary.take() {
            Some(temporary) => {
                let done = fs::rename(&temporary, to).inspect_err(|_| {
                    let _ = fs::remove_file(&temporary);
                });
                spare::unlock(self.file.file());
                done
            }
            None => name(self.file.file(), to),
        };
        done.map_err(|error| cannot(self.file.path(), error))
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
            // Locked before it has the spare name: a file that was linked, and lost its name to somebody who took
            // it for a leftover, can get none again.
            let _ = rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive);
            let link = |temporary: &Path| {
                link(temporary)?;
                file.as_fd().try_clone_to_owned()
            };
            let (temporary, _lock) = spare::make(Output::directory(path), link)?;
            let done = fs::rename(&temporary, path).inspect_err(|_| {
                let _ = fs::remove_file(&temporary);
            });
            spare::unlock(file);
            done
        }
        done => Ok(done?),
    }
}

/// Brings the names in a directory to the disk, `path` among them.
pub(super) fn sync_directory(directory: &Path, path: &Path) -> Result<(), Error> {
    let synced = File::open(directory).and_then(|file| file.sync_all());
    match synced {
        // A file system on which nothing changes has nothing to sync, and says so.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced.map_err(|error| cannot(path, error)),
    }
}

fn cannot(path: &Path, error: io::Error) -> Error {
    Error::Create { file: path.to_owned(), error }
}
