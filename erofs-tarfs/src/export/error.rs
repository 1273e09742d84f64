//! Why there is no plan.

use core::fmt;

use crate::{layout, verity};

/// Why what was asked for cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No name of a mode.
    Mode,
    /// The layout is that of a bootstrap, which has no data to make a disk or a hash tree of.
    Bootstrap,
    /// Linux opens a dm-verity device with these data blocks, and refuses the mount: the device's
    /// logical block is the data block, and a filesystem's block may not be smaller.
    DataBlock {
        /// Data block size in bytes.
        data_block: u32,
        /// Block size of the filesystem in bytes.
        block: u32,
    },
    /// It does not fit.
    Layout(layout::Error),
    /// There is no such hash tree.
    Verity(verity::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode => f.write_str("not one of the six modes, as image_block"),
            Self::Bootstrap => f.write_str("a bootstrap has no data: the layout must be a disk's"),
            Self::DataBlock { data_block, block } => write!(
                f,
                "data blocks of {data_block} bytes over a filesystem with blocks of {block}: Linux opens \
                 the device, and refuses the mount"
            ),
            Self::Layout(error) => error.fmt(f),
            Self::Verity(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Layout(error) => Some(error),
            Self::Verity(error) => Some(error),
            _ => None,
        }
    }
}

impl From<layout::Error> for Error {
    fn from(error: layout::Error) -> Self {
        Self::Layout(error)
    }
}

impl From<verity::Error> for Error {
    fn from(error: verity::Error) -> Self {
        Self::Verity(error)
    }
}
