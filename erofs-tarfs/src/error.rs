//! One error for callers that run several stages.

use crate::{layout, outputs, read, tar, tree, verity};
use core::fmt;

/// What went wrong, in the words of the stage that found it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A tar is malformed.
    Tar(tar::Error),
    /// A layer breaks a rule, or layers do not merge.
    Tree(tree::Error),
    /// Something does not fit EROFS.
    Layout(layout::Error),
    /// A disk cannot be said in a form over files as they lie.
    Outputs(outputs::Error),
    /// An image is malformed, or uses what we do not read.
    Read(read::Error),
    /// Parameters or digests of a hash tree.
    Verity(verity::Error),
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

    fn inner(&self) -> &(dyn core::error::Error + 'static) {
        match self {
            Self::Tar(error) => error,
            Self::Tree(error) => error,
            Self::Layout(error) => error,
            Self::Outputs(error) => error,
            Self::Read(error) => error,
            Self::Verity(error) => error,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.inner(), f)
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.inner().source()
    }
}

macro_rules! from {
    ($($stage:ident: $variant:ident),*) => {$(
        impl From<$stage::Error> for Error {
            fn from(error: $stage::Error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from!(tar: Tar, tree: Tree, layout: Layout, outputs: Outputs, read: Read, verity: Verity);
