//! The errors of the library's stages, as the error object: which status each has, and its place.

use erofs_tarfs::verity::Fault;
use erofs_tarfs::{layout, outputs, read, tar, tree, verity};

use crate::abi::error::Error;
use crate::abi::status::Status;

impl From<tar::Error> for Error {
    fn from(error: tar::Error) -> Self {
        Self::new(Status::Tar, error.to_string()).at(error.offset())
    }
}

impl From<tree::Error> for Error {
    fn from(error: tree::Error) -> Self {
        match error {
            tree::Error::Tar(error) => error.into(),
            tree::Error::Entry(ref entry) => {
                Self::new(Status::Tree, error.to_string()).at(entry.offset)
            }
            _ => Self::new(Status::Tree, error.to_string()),
        }
    }
}

impl From<layout::Error> for Error {
    fn from(error: layout::Error) -> Self {
        Self::new(Status::Layout, error.to_string())
    }
}

impl From<outputs::Error> for Error {
    fn from(error: outputs::Error) -> Self {
        Self::new(Status::Output, error.to_string())
    }
}

impl From<read::Error> for Error {
    fn from(error: read::Error) -> Self {
        let new = Self::new(Status::Read, error.to_string());
        match error {
            read::Error::Inode { offset, .. } => new.at(offset),
            _ => new,
        }
    }
}

impl From<erofs_tarfs::io::Error> for Error {
    fn from(error: erofs_tarfs::io::Error) -> Self {
        use erofs_tarfs::io::Error as Io;
        let text = error.to_string();
        match error {
            Io::Layer { error, .. } => error.into(),
            Io::Verity { error, .. } => error.into(),
            Io::Open { error, .. } | Io::Read { error, .. } | Io::Write { error, .. } => {
                Self { errno: error.raw_os_error().unwrap_or(0), ..Self::new(Status::Io, text) }
            }
            _ => Self::new(Status::InvalidArgument, text),
        }
    }
}

impl From<verity::Error> for Error {
    fn from(error: verity::Error) -> Self {
        let status = match error.is_mismatch() {
            true => Status::Mismatch,
            false => Status::Verity,
        };
        let new = Self::new(status, error.to_string());
        error.offset().into_iter().fold(new, Self::at)
    }
}

impl From<Fault<Self>> for Error {
    fn from(fault: Fault<Self>) -> Self {
        match fault {
            Fault::Verity(error) => error.into(),
            Fault::Caller(error) => error,
        }
    }
}

impl From<Fault<std::io::Error>> for Error {
    fn from(fault: Fault<std::io::Error>) -> Self {
        match fault {
            Fault::Verity(error) => error.into(),
            Fault::Caller(error) => Self::io("read or write", error),
        }
    }
}
