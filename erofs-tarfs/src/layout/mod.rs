//! Tree to offsets: every position of an image is decided here, and every "does not fit" is found.
//!
//! What comes out, a [`Layout`], is what the [`image`](crate::image) stage writes without any
//! decision of its own. It is a pure function of the tree and the [`Options`].
//!
//! # References
//! - Linux, `fs/erofs/erofs_fs.h` and `Documentation/filesystems/erofs.rst`.
//!
//! ```
//! use erofs_tarfs::layout::{Options, plan};
//! use erofs_tarfs::tree::Builder;
//!
//! let tree = Builder::new().finish().unwrap();
//! let layout = plan(&tree, &Options::default()).unwrap();
//! assert_eq!(layout.root_nid(), 36); // right behind the superblock: byte 1152
//! ```

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
#[cfg(test)]
mod tests;
mod uuid;
mod xattr;

pub use devices::PlannedDevice;
pub use error::Error;
pub use fitted::fitted;
pub use options::{Artifact, BodyForm, Options, Placement, WhiteoutForm};
pub use plan::{Layout, data_first_offset, plan};

pub(crate) use body::{Pieces, chunks};
pub(crate) use directory::Entry as DirectoryEntry;
pub(crate) use node::{Data, Face, Shape};
