//! The errors of the library's stages, as the error object: which status each has, and its place.

use erofs_tarfs::verity::Fault;
use erofs_tarfs::{export, io, layout, outputs, read, tar, tree, verity};

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

impl From<io::BrokenStream> for Error {
    fn from(error: io::BrokenStream) -> Self {
        Self::new(Status::Compressed, error.to_string()).at(error.offset)
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

impl From<export::Error> for Error {
    fn from(error: export::Error) -> Self {
        match error {
            export::Error::DataBlock { data_block, block } => Self::argument(format!(
                "params: {error}. data_block {block}, or block_size {data_block}, or \
                 TARFS_VERITY_ANY_DATA_BLOCK if it is not for a mount"
            )),
            export::Error::Layout(error) => error.into(),
            export::Error::Verity(error) => error.into(),
            export::Error::Output(error) => error.into(),
            error => Self::argument(error.to_string()),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        let text = error.to_string();
        let with_file = |of: Self| Self { message: Self::new(Status::Ok, &*text).message, ..of };
        match error {
            io::Error::Layer { error, .. } => with_file(error.into()),
            io::Error::Merge { error, .. } => error.into(),
            io::Error::Verity { error, .. } => with_file(error.into()),
            io::Error::Export { error, .. } => error.into(),
            io::Error::Open { error, .. }
            | io::Error::Create { error, .. }
            | io::Error::Read { error, .. }
            | io::Error::Write { error, .. } => {
                let errno = error.raw_os_error().unwrap_or(0);
                // An error of ours may have gone through the system's type, as a callback's does.
                let ours = error.downcast::<Self>();
                ours.unwrap_or_else(|_| Self { errno, ..Self::new(Status::Io, text) })
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
