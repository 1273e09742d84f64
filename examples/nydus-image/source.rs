//! Where the tar of a layer comes from.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{NamedFile, Pipe};

use crate::fail::{Done, Fail};

/// A tar that is there.
pub(crate) enum Tar {
    /// It streams by, under this name in errors.
    Stream(PathBuf, Box<dyn Read>),
    /// It lies in a file.
    File(NamedFile),
}

/// Opens the tar. To open a pipe with a name takes until somebody writes to it.
pub(crate) fn open(path: &Path) -> Done<Tar> {
    let failed = |error| Fail::of(path, error);
    let kind = path.metadata().map_err(failed)?.file_type();
    if kind.is_file() {
        return Ok(Tar::File(NamedFile::open(path)?));
    }
    if !kind.is_fifo() && !kind.is_char_device() {
        return Err(Fail::of(path, "is no file, no pipe and no character device"));
    }
    let file = File::open(path).map_err(failed)?;
    let stream: Box<dyn Read> = match kind.is_fifo() {
        true => Box::new(Pipe::new(file)),
        false => Box::new(file),
    };
    Ok(Tar::Stream(path.to_owned(), stream))
}
