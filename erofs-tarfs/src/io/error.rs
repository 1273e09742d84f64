//! What went wrong, in which file and where.

use std::io;
use std::path::{Path, PathBuf};

use crate::{export, outputs, tree, verity};

/// Why a layer or a disk was not made. Offsets are byte offsets in the file named.
///
/// ```
/// use erofs_tarfs::io::{Error, NamedFile};
///
/// let error = NamedFile::open("/nowhere/base.tar").unwrap_err();
/// assert!(matches!(error, Error::Open { .. }));
/// assert_eq!(error.file(), Some("/nowhere/base.tar".as_ref()));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened, or its length not be told.
    #[error("{file}: cannot open it: {error}")]
    Open {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// An output, or the directory of several, cannot be made, or not get its name.
    #[error("{file}: cannot create it: {error}")]
    Create {
        /// The output.
        file: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A file cannot be read.
    #[error("{file}: cannot read at offset {offset}: {error}")]
    Read {
        /// The file.
        file: PathBuf,
        /// Where reading was to begin.
        offset: u64,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A file cannot be written.
    #[error("{file}: cannot write at offset {offset}: {error}")]
    Write {
        /// The file.
        file: PathBuf,
        /// Where writing was to begin.
        offset: u64,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A source of a disk is shorter than the addresses in it reach.
    #[error("{file}: ends at offset {bytes}, but {needed} bytes are needed")]
    Short {
        /// The file.
        file: PathBuf,
        /// Its length in bytes.
        bytes: u64,
        /// The length that is needed.
        needed: u64,
    },
    /// The plan names more sources than there are.
    #[error("device {device} has no file: only {sources} were given")]
    MissingSource {
        /// Index of the device.
        device: usize,
        /// How many sources there are.
        sources: usize,
    },
    /// A tar that no layer can be made of.
    #[error("{file}: {error}")]
    Layer {
        /// The tar.
        file: PathBuf,
        /// Entry and offset.
        #[source]
        error: tree::Error,
    },
    /// A file longer than what this machine can address.
    #[error("{file}: has {bytes} bytes, for which there is no memory")]
    TooLong {
        /// The file.
        file: PathBuf,
        /// Its length in bytes.
        bytes: u64,
    },
    /// A disk both of whose partition tables are damaged.
    #[error("{file}: its partition table: {error}")]
    Table {
        /// The disk.
        file: PathBuf,
        /// What is wrong with the first.
        #[source]
        error: outputs::TableError,
    },
    /// An output that cannot be planned.
    #[error("{file}: {error}")]
    Export {
        /// The output.
        file: PathBuf,
        /// Why.
        #[source]
        error: export::Error,
    },
    /// Layers that cannot be merged.
    #[error("{file}: {error}")]
    Merge {
        /// The output.
        file: PathBuf,
        /// Why.
        #[source]
        error: tree::Error,
    },
    /// A form names its files, and this name is not UTF-8.
    #[error("{file}: has a name that is not UTF-8, which no form over files can carry")]
    Name {
        /// The file.
        file: PathBuf,
    },
    /// A form, or partitions, want files, and a device has none.
    #[error("{name}: is read, but is no file that a disk can be over")]
    NoFile {
        /// What its device is called.
        name: PathBuf,
    },
    /// The caller wanted no more of it.
    #[error("cancelled")]
    Cancelled,
    /// An output where something is that no file takes the place of, as a directory or a device.
    #[error("{file}: is there, and is not a regular file")]
    NotRegular {
        /// What is there.
        file: PathBuf,
    },
    /// An output that would take the place of a file that is read.
    #[error("{file}: is an input and the output")]
    IsInput {
        /// The file.
        file: PathBuf,
    },
    /// Two outputs would have one name.
    #[error(
        "{file}: would be the name of the outputs of two layers, {} and {}",
        .layers.0 + 1, .layers.1 + 1
    )]
    SameName {
        /// The name.
        file: PathBuf,
        /// The two layers, by their indexes.
        layers: (usize, usize),
    },
    /// A hash tree that cannot be made.
    #[error("{file}: {error}")]
    Verity {
        /// The file of the tree.
        file: PathBuf,
        /// Why.
        #[source]
        error: verity::Error,
    },
}

impl Error {
    /// The file that it is about, if it is about one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Open { file, .. }
            | Self::Create { file, .. }
            | Self::Read { file, .. }
            | Self::Write { file, .. }
            | Self::Short { file, .. }
            | Self::Layer { file, .. }
            | Self::TooLong { file, .. }
            | Self::Table { file, .. }
            | Self::Export { file, .. }
            | Self::Merge { file, .. }
            | Self::IsInput { file }
            | Self::NotRegular { file }
            | Self::SameName { file, .. }
            | Self::Name { file }
            | Self::Verity { file, .. } => Some(file),
            Self::MissingSource { .. } | Self::NoFile { .. } | Self::Cancelled => None,
        }
    }
}
