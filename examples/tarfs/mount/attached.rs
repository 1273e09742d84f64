//! A file as something that mount(2) and veritysetup take.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;

use super::loop_device::LoopDevice;
use crate::cli::fail::{Done, Fail};

/// A path that stands for a file, or for a range of one.
#[derive(Debug)]
pub(crate) enum Attached {
    /// The file itself.
    Itself(PathBuf),
    /// A loop device over it.
    Loop(LoopDevice),
}

impl Attached {
    /// The file itself, if it is no range of one.
    pub(crate) fn itself(file: &NamedFile) -> Done<Option<Self>> {
        if file.is_range() {
            return Ok(None);
        }
        let path =
            std::path::absolute(file.path()).map_err(|error| Fail::of(file.path(), error))?;
        Ok(Some(Self::Itself(path)))
    }

    /// The file itself, or of a range a loop device.
    pub(crate) fn file(file: &NamedFile) -> Done<Self> {
        Self::itself(file)?.map_or_else(|| Ok(Self::Loop(LoopDevice::over(file)?)), Ok)
    }

    /// A block device: the file itself, if it is one, or a loop device.
    pub(crate) fn device(file: &NamedFile) -> Done<Self> {
        match file.is_device() {
            true => Self::file(file),
            false => Ok(Self::Loop(LoopDevice::over(file)?)),
        }
    }

    /// The path.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Itself(path) => path,
            Self::Loop(device) => device.path(),
        }
    }
}

/// Whether a file is a block device, whatever part of it is meant.
pub(crate) fn is_block_device(file: &NamedFile) -> bool {
    file.file().metadata().is_ok_and(|found| found.file_type().is_block_device())
}
