//! Tree to offsets: every position of an image is decided here, and every "does not fit" is found.
//!
//! ```text
//! bootstrap         ┌──────┬────────┬─────────────────────┐   base.tar   app.tar
//!                   │ head │ inodes │ directories, blocks │   (in files of their own)
//!                   └──────┴────────┴─────────────────────┘
//! disk,             ┌──────┬────────┬─────────────────────┬──────────┬─────────┐
//! metadata first    │ head │ inodes │ directories, blocks │ base.tar │ app.tar │
//!                   └──────┴────────┴─────────────────────┴──────────┴─────────┘
//! disk,             ┌──────┬──────────┬─────────┬────────┬─────────────────────┐
//! data first        │ head │ base.tar │ app.tar │ inodes │ directories, blocks │
//!                   └──────┴──────────┴─────────┴────────┴─────────────────────┘
//! ```
//!
//! What comes out, a [`Layout`], is what the [`image`](crate::image) stage writes without any
//! decision of its own. It is a pure function of the tree and the [`LayoutOptions`]. The head is boot area,
//! superblock and device slots. An inode has 32 or 64 bytes; its extended attributes, and the table of
//! its chunks or a short body, lie right behind it.
//!
//! # Limits
//! Block numbers have 32 bits: at blocks of 512 bytes an image ends before 2 TiB, all devices counted.
//! There are at most 65535 devices, tags have 64 bytes; by default chunk tables of sparse files take 64 MiB
//! and an eighth of the devices' bytes at most, and all metadata 4 GiB ([`LayoutOptions::limits`]). Bodies must lie on multiples of the block size, or be
//! [`fitted()`] to it.
//!
//! # References
//! - Linux, `fs/erofs/erofs_fs.h` and `Documentation/filesystems/erofs.rst`.
//!
//! ```
//! use erofs_tarfs::layout::{LayoutOptions, plan};
//! # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//! # use doc::layer_of;
//!
//! let tree = layer_of(&[("etc/motd", "hello\n")]);
//! let layout = plan(&tree, &LayoutOptions::default())?;
//! assert_eq!(layout.metadata_bytes(), 4096);
//! assert_eq!(layout.devices()[0].blocks, 4); // the tar: 2048 bytes in blocks of 512
//! # Ok::<(), erofs_tarfs::layout::Error>(())
//! ```

mod areas;
mod body;
mod devices;
mod directory;
mod epoch;
mod error;
mod fitted;
mod node;
mod options;
mod order;
mod place;
mod plan;
mod scene;
mod shared;
mod sharing;
#[cfg(test)]
mod tests;
mod uuid;
mod xattr;

pub use devices::PlannedDevice;
pub use error::Error;
pub use fitted::fitted;
pub use options::{Artifact, BodyForm, DiskOrder, LayoutOptions, WhiteoutForm};
pub use plan::{Layout, data_first_offset, plan};

pub(crate) use body::{Pieces, chunks};
pub(crate) use directory::Entry as DirectoryEntry;
pub(crate) use node::{Data, Face, Shape};
pub(crate) use xattr::Xattr;
