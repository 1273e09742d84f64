//! Outputs: files that get their names when they are whole, and leave nothing behind if they never are.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use tempfile::{Builder, NamedTempFile};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::place::{self, Place};
use crate::files::{protected, unchanged};

/// A file that gets its name when it is finished, and goes away if it is not.
#[derive(Debug)]
pub(crate) struct Output {
    temp: Temp,
    /// The name that the user gave it.
    path: PathBuf,
    place: Place,
}

/// A file that has not got its name yet.
#[derive(Debug)]
enum Temp {
    /// Without a name: however the program ends, nothing is left.
    Nameless(File),
    /// With a name of its own, where the file system has no files without names.
    Named(NamedTempFile),
}

/// How the names start that a file has until it gets its own.
const PREFIX: &str = ".tarfs-";

impl Temp {
    fn new(directory: &Path) -> io::Result<Self> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::open(directory, flags, Mode::from_raw_mode(0o666)) {
            Ok(file) if Path::new("/proc/self/fd").is_dir() => {
                return Ok(Self::Nameless(File::from(file)));
            }
            // If something is wrong with the directory, the next way fails too, and says what.
            _ => {}
        }
        let mut named = Builder::new();
        named.prefix(PREFIX).permissions(Permissions::from_mode(0o666));
        named.tempfile_in(directory).map(Self::Named)
    }

    fn file(&self) -> &File {
        match self {
            Self::Nameless(file) => file,
            Self::Named(temp) => temp.as_file(),
        }
    }

    /// Gives it this name, in place of what has it.
    fn persist(self, path: &Path) -> io::Result<()> {
        let file = match self {
            Self::Named(temp) => return temp.persist(path).map(drop).map_err(|error| error.error),
            Self::Nameless(file) => file,
        };
        let link = |path: &Path| {
            let own = format!("/proc/self/fd/{}", file.as_raw_fd());
            rustix::fs::linkat(CWD, own, CWD, path, AtFlags::SYMLINK_FOLLOW)
        };
        match link(path) {
            Err(rustix::io::Errno::EXIST) => {}
            done => return Ok(done?),
        }
        // A link can't replace a file, renaming can: so the file gets a name that is free first.
        for n in 0..u32::MAX {
            let mut name = OsString::from(PREFIX);
            name.push(format!("{}-{n}", std::process::id()));
            let temp = path.with_file_name(name);
            match link(&temp) {
                Err(rustix::io::Errno::EXIST) => continue,
                done => done?,
            }
            return fs::rename(&temp, path).inspect_err(|_| drop(fs::remove_file(&temp)));
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Output {
    /// A new file in the directory that `path` leads to, under no name yet.
    pub(crate) fn new(path: &Path) -> Done<Self> {
        let place = place::place(path)?;
        let failed = |error| Fail::of(path, format_args!("cannot create it: {}", said(&error)));
        let temp = match &place {
            Place::File(file) => {
                protected::check(path, file)?;
                Temp::new(place::directory(file)).map_err(failed)?
            }
            Place::Stdout => Temp::Nameless(tempfile::tempfile().map_err(failed)?),
        };
        Ok(Self { temp, path: path.to_owned(), place })
    }

    /// The name that it will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, under the name that it will have.
    pub(crate) fn file(&self) -> Done<NamedFile> {
        let file = self.temp.file().try_clone();
        Ok(NamedFile::new(&self.path, file.map_err(|error| Fail::of(&self.path, error))?))
    }

    /// Another name that it will have, in the same directory.
    pub(crate) fn rename(&mut self, path: &Path) -> Done {
        self.place = place::place(path)?;
        self.path = path.to_owned();
        self.check()
    }

    /// Refuses to take the place of what is read.
    fn check(&self) -> Done {
        match &self.place {
            Place::File(file) => protected::check(&self.path, file),
            Place::Stdout => {
                let found = io::stdout().as_fd().try_clone_to_owned().map(File::from);
                let found = found.and_then(|file| file.metadata()).map_err(Fail::stdout)?;
                protected::refuse(&self.path, &found)
            }
        }
    }

    /// Directory and name, by which two outputs are seen to be one file; `None` of standard output.
    fn name(&self) -> Option<(PathBuf, OsString)> {
        let Place::File(file) = &self.place else { return None };
        let dir = fs::canonicalize(place::directory(file))
            .unwrap_or_else(|_| place::directory(file).to_owned());
        Some((dir, file.file_name()?.to_owned()))
    }

    /// Gives it its name, in place of what has it.
    pub(crate) fn finish(self) -> Done {
        finish(vec![self])
    }

    fn put(self) -> Done {
        let Self { temp, path, place } = self;
        match place {
            Place::File(file) => temp.persist(&file).map_err(|error| Fail::of(&path, error)),
            Place::Stdout => {
                let mut file = temp.file();
                io::Seek::rewind(&mut file).map_err(|error| Fail::of(&path, error))?;
                let mut out = io::stdout().lock();
                io::copy(&mut file, &mut out).and_then(|_| out.flush()).map_err(Fail::stdout)
            }
        }
    }
}

/// Gives files their names. Refuses if one would take the place of a file that is read, or if such a
/// file changed since it was opened.
pub(crate) fn finish(outputs: Vec<Output>) -> Done {
    outputs.iter().try_for_each(Output::check)?;
    let mut names = BTreeSet::new();
    for output in &outputs {
        if !names.insert(output.name()) {
            let why =
                "would be the name of two outputs: the second would take the first one's place";
            return Err(Fail::Usage(format!("{}: {why}", quote::name(&output.path))));
        }
    }
    unchanged::check()?;
    outputs.into_iter().try_for_each(Output::put)
}

/// The error of the system without the name of the temporary file.
fn said(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.source()).map(ToString::to_string);
    inner.unwrap_or_else(|| error.to_string())
}
