//! Outputs that are whole or not there.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use tempfile::{Builder, NamedTempFile};

use crate::fail::{Done, Fail};

/// A file that gets its name when it is finished, and goes away if it is not.
#[derive(Debug)]
pub(crate) struct Output {
    temp: NamedTempFile,
    path: PathBuf,
}

impl Output {
    /// A nameless file in the directory of `path`.
    pub(crate) fn new(path: &Path) -> Done<Self> {
        // Renaming would put a file in the place of a device or a directory.
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(Fail::of(path, "is there, and is not a regular file"));
        }
        let temp = Builder::new()
            .prefix(".tarfs-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(directory(path))
            .map_err(|error| Fail::of(path, format_args!("cannot create it: {}", said(&error))))?;
        Ok(Self { temp, path: path.to_owned() })
    }

    /// The name that it will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, under the name that it will have.
    pub(crate) fn file(&self) -> Done<NamedFile> {
        let file = self.temp.as_file().try_clone();
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
        let Self { temp, path } = self;
        let done = temp.persist(&path);
        done.map_err(|error| Fail::of(&path, error.error))?;
        Ok(())
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
