//! One error for callers that run several stages.

use crate::{layout, outputs, read, tar, tree, verity};

/// What went wrong, in the words of the stage that found it.
///
/// ```
/// use erofs_tarfs::tree::{LayerBuilder, LayerOptions};
/// use erofs_tarfs::{Error, ErrorKind};
///
/// fn entries(tar: &[u8]) -> Result<u64, Error> {
///     let mut builder = LayerBuilder::new(LayerOptions::default());
///     builder.push(tar)?;
///     Ok(builder.finish()?.end.entries)
/// }
///
/// let error = entries(b"no tar at all").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Tar);
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tar is malformed.
    #[error(transparent)]
    Tar(#[from] tar::Error),
    /// A layer breaks a rule, or layers do not merge.
    #[error(transparent)]
    Tree(#[from] tree::Error),
    /// Something does not fit EROFS.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// A disk cannot be said in a form over files as they lie.
    #[error(transparent)]
    Outputs(#[from] outputs::Error),
    /// An image is malformed, or uses what we do not read.
    #[error(transparent)]
    Read(#[from] read::Error),
    /// Parameters or digests of a hash tree.
    #[error(transparent)]
    Verity(#[from] verity::Error),
}

/// The stage that an [`Error`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A tar is malformed.
    Tar,
    /// A layer breaks a rule, or layers do not merge.
    Tree,
    /// Something does not fit EROFS.
    Layout,
    /// A disk cannot be said in a form over files as they lie.
    Outputs,
    /// An image is malformed, or uses what we do not read.
    Read,
    /// Parameters or digests of a hash tree.
    Verity,
}

impl Error {
    /// The stage that it comes from.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Tar(_) | Self::Tree(tree::Error::Tar(_)) => ErrorKind::Tar,
            Self::Tree(_) => ErrorKind::Tree,
            Self::Layout(_) => ErrorKind::Layout,
            Self::Outputs(_) => ErrorKind::Outputs,
            Self::Read(_) => ErrorKind::Read,
            Self::Verity(_) => ErrorKind::Verity,
        }
    }
}
