//! What went wrong, in which file and where.

use std::io;
use std::path::{Path, PathBuf};

use crate::{export, outputs, read, tree, verity};

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
    /// An image in which something is wrong.
    #[error("{file}: {error}")]
    Image {
        /// The file of the image.
        file: PathBuf,
        /// What, and at which byte.
        #[source]
        error: read::Error,
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
    /// Layers that cannot be merged, or changed as it was asked for.
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
    #[error(
        "{name}: is no file that is found by its name, as those have to be that a disk is over"
    )]
    NoFile {
        /// What its device is called.
        name: PathBuf,
    },
    /// A tar without a byte: what made it may have failed.
    #[error("{file}: is empty: a tar has at least two zero blocks")]
    Empty {
        /// The tar.
        file: PathBuf,
    },
    /// A file of a layer that was written to, or replaced, while an export read it: its bytes were
    /// indexed, copied and hashed at different moments.
    #[error("{file}: changed while it was read")]
    Changed {
        /// The file.
        file: PathBuf,
    },
    /// A layer whose devices and files, or kept digests, differ in number.
    #[error("layer {} has {devices} devices, but {given} {what} were given", .layer + 1)]
    Count {
        /// The layer, by its index.
        layer: usize,
        /// What was given: files, or digests kept.
        what: &'static str,
        /// How many devices it has.
        devices: usize,
        /// How many were given.
        given: usize,
    },
    /// Digests that were kept of another file: they are of fewer blocks than the device has.
    #[error("layer {}: the digests kept of device {} are of {blocks} data blocks, not of {needed}",
        .layer + 1, .device + 1)]
    Kept {
        /// The layer, by its index.
        layer: usize,
        /// The device, by its index.
        device: usize,
        /// Of how many data blocks there are digests.
        blocks: u64,
        /// How many there have to be at least.
        needed: u64,
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
            | Self::Image { file, .. }
            | Self::Export { file, .. }
            | Self::Merge { file, .. }
            | Self::IsInput { file }
            | Self::NotRegular { file }
            | Self::Empty { file }
            | Self::Changed { file }
            | Self::SameName { file, .. }
            | Self::Name { file }
            | Self::Verity { file, .. } => Some(file),
            Self::MissingSource { .. }
            | Self::Count { .. }
            | Self::Kept { .. }
            | Self::NoFile { .. }
            | Self::Cancelled => None,
        }
    }
}
