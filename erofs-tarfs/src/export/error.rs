//! Why there is no plan.

use crate::{layout, outputs, verity};

/// Why what was asked for cannot be made.
///
/// ```
/// use erofs_tarfs::export::{Error, ExportOptions, Mode, Product};
/// use erofs_tarfs::verity::Params;
///
/// assert_eq!("image".parse::<Mode>(), Err(Error::Mode));
/// // Blocks of 512 bytes under data blocks of 4096: Linux would refuse the mount.
/// let options = ExportOptions::new().verity(Params::containerd_4k());
/// let error = Error::DataBlock { data_block: 4096, block: 512 };
/// assert_eq!(options.check(Product::SealedDisk), Err(error));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No name of a mode.
    #[error("not one of the six modes, as image_block")]
    Mode,
    /// The layout is that of a bootstrap, which has no data to make a disk or a hash tree of.
    #[error("a bootstrap has no data: the layout must be a disk's")]
    Bootstrap,
    /// Linux opens a dm-verity device with these data blocks, and refuses the mount: the device's
    /// logical block is the data block, and a filesystem's block may not be smaller.
    #[error(
        "data blocks of {data_block} bytes over a filesystem with blocks of {block}: Linux opens \
         the device, and refuses the mount"
    )]
    DataBlock {
        /// Data block size in bytes.
        data_block: u32,
        /// Block size of the filesystem in bytes.
        block: u32,
    },
    /// A hash tree alone is no disk.
    #[error("a hash tree alone is no disk: it has no form, and no partitions")]
    NoDisk,
    /// A root hash is of a hash tree.
    #[error("the mode makes no hash tree: there is no root hash")]
    NoTree,
    /// What systemd finds is one filesystem.
    #[error("a volume is one filesystem, and these are {count}: merge them")]
    Volume {
        /// How many there are.
        count: usize,
    },
    /// No layer, where each is to be one.
    #[error("there is no layer to make it of")]
    NoLayer,
    /// The form cannot say it.
    #[error(transparent)]
    Output(#[from] outputs::Error),
    /// It does not fit.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// There is no such hash tree.
    #[error(transparent)]
    Verity(#[from] verity::Error),
}
