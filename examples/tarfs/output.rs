//! Outputs that are whole or not there.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use tempfile::{Builder, NamedTempFile};

use crate::fail::{Done, Fail};

/// A file that gets its name when it is finished, and goes away if it is not.
#[derive(Debug)]
pub(crate) struct Output {
    temp: Temp,
    path: PathBuf,
}

/// How a file is until then.
#[derive(Debug)]
enum Temp {
    /// Without a name: however the program ends, nothing is left.
    Nameless(File),
    /// With a name of its own, where the file system has no files without names.
    Named(NamedTempFile),
}

/// What names start with that a file has for a moment.
const PREFIX: &str = ".tarfs-";

impl Temp {
    fn new(directory: &Path) -> io::Result<Self> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::open(directory, flags, Mode::from_raw_mode(0o666)) {
            Ok(file) if Path::new("/proc/self/fd").is_dir() => {
                return Ok(Self::Nameless(File::from(file)));
            }
            // What is wrong with the directory, the other way tells too.
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
        // A link replaces nothing, renaming does; a name that is free is found by trying.
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
    /// A file that is not seen yet in the directory of `path`.
    pub(crate) fn new(path: &Path) -> Done<Self> {
        // Renaming would put a file in the place of a device or a directory.
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(Fail::of(path, "is there, and is not a regular file"));
        }
        let temp = Temp::new(directory(path))
            .map_err(|error| Fail::of(path, format_args!("cannot create it: {}", said(&error))))?;
        Ok(Self { temp, path: path.to_owned() })
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
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(Fail::of(path, "is there, and is not a regular file"));
        }
        self.path = path.to_owned();
        Ok(())
    }

    /// Gives it its name, in place of what has it.
    pub(crate) fn finish(self) -> Done {
        crate::unmoved::check()?;
        let Self { temp, path } = self;
        temp.persist(&path).map_err(|error| Fail::of(&path, error))
    }
}

/// The directory that a file is in.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// The error of the system without the name of the temporary file.
fn said(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.source()).map(ToString::to_string);
    inner.unwrap_or_else(|| error.to_string())
}

/// Refuses to write over what is read.
pub(crate) fn spare_inputs(out: &Path, inputs: &[impl AsRef<Path>]) -> Done {
    let identity = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let Some(out_identity) = identity(out) else { return Ok(()) };
    match inputs.iter().any(|input| identity(input.as_ref()) == Some(out_identity)) {
        true => Err(Fail::Usage(format!("{}: is an input and the output", out.display()))),
        false => Ok(()),
    }
}
