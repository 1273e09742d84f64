//! What went wrong, in which file and where.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::{export, outputs, tree, verity};

/// Why a layer or a disk was not made. Offsets are byte offsets in the file named.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened, or its length not be told.
    Open {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file cannot be read.
    Read {
        /// The file.
        file: PathBuf,
        /// Where reading was to begin.
        offset: u64,
        /// What the system says.
        error: io::Error,
    },
    /// A file cannot be written.
    Write {
        /// The file.
        file: PathBuf,
        /// Where writing was to begin.
        offset: u64,
        /// What the system says.
        error: io::Error,
    },
    /// A source of a disk is shorter than the addresses in it reach.
    Short {
        /// The file.
        file: PathBuf,
        /// Its length in bytes.
        bytes: u64,
        /// The length that is needed.
        needed: u64,
    },
    /// The plan names more sources than there are.
    MissingSource {
        /// Index of the device.
        device: usize,
        /// How many sources there are.
        sources: usize,
    },
    /// A tar that no layer can be made of.
    Layer {
        /// The tar.
        file: PathBuf,
        /// Entry and offset.
        error: tree::Error,
    },
    /// A file longer than what this machine can address.
    TooLong {
        /// The file.
        file: PathBuf,
        /// Its length in bytes.
        bytes: u64,
    },
    /// A disk whose partition tables are damaged, both.
    Table {
        /// The disk.
        file: PathBuf,
        /// What is wrong with the first.
        error: outputs::TableError,
    },
    /// An output that cannot be planned.
    Export {
        /// The output.
        file: PathBuf,
        /// Why.
        error: export::Error,
    },
    /// Layers that cannot be merged.
    Merge {
        /// The output.
        file: PathBuf,
        /// Why.
        error: tree::Error,
    },
    /// An output that would take the place of a file that is read.
    IsInput {
        /// The file.
        file: PathBuf,
    },
    /// Two outputs would have one name.
    SameName {
        /// The name.
        file: PathBuf,
    },
    /// A hash tree that cannot be made.
    Verity {
        /// The file of the tree.
        file: PathBuf,
        /// Why.
        error: verity::Error,
    },
}

impl Error {
    /// The file that it is about, if it is about one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Open { file, .. }
            | Self::Read { file, .. }
            | Self::Write { file, .. }
            | Self::Short { file, .. }
            | Self::Layer { file, .. }
            | Self::TooLong { file, .. }
            | Self::Table { file, .. }
            | Self::Export { file, .. }
            | Self::Merge { file, .. }
            | Self::IsInput { file }
            | Self::SameName { file }
            | Self::Verity { file, .. } => Some(file),
            Self::MissingSource { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = self.file() {
            write!(f, "{}: ", file.display())?;
        }
        match self {
            Self::Open { error, .. } => write!(f, "cannot open it: {error}"),
            Self::Read { offset, error, .. } => {
                write!(f, "cannot read at offset {offset}: {error}")
            }
            Self::Write { offset, error, .. } => {
                write!(f, "cannot write at offset {offset}: {error}")
            }
            Self::Short { bytes, needed, .. } => {
                write!(f, "ends at offset {bytes}, but {needed} bytes are needed")
            }
            Self::MissingSource { device, sources } => {
                write!(f, "device {device} has no file: only {sources} were given")
            }
            Self::Layer { error, .. } => error.fmt(f),
            Self::TooLong { bytes, .. } => {
                write!(f, "has {bytes} bytes, for which there is no memory")
            }
            Self::Table { error, .. } => write!(f, "its partition table: {error}"),
            Self::Export { error, .. } => error.fmt(f),
            Self::Merge { error, .. } => error.fmt(f),
            Self::IsInput { .. } => f.write_str("is an input and the output"),
            Self::SameName { .. } => f.write_str("would be the name of two layers' outputs"),
            Self::Verity { error, .. } => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Open { error, .. } | Self::Read { error, .. } | Self::Write { error, .. } => {
                Some(error)
            }
            Self::Layer { error, .. } => Some(error),
            Self::Table { error, .. } => Some(error),
            Self::Verity { error, .. } => Some(error),
            Self::Export { error, .. } => Some(error),
            Self::Merge { error, .. } => Some(error),
            Self::Short { .. }
            | Self::MissingSource { .. }
            | Self::TooLong { .. }
            | Self::IsInput { .. }
            | Self::SameName { .. } => None,
        }
    }
}
