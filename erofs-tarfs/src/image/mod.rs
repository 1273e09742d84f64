//! A layout as bytes: metadata, and the segments of a disk. Nothing is decided here, so nothing
//! but the caller's sink can fail.
//!
//! ```
//! use erofs_tarfs::{image, layout, tree::Builder};
//!
//! let tree = Builder::new().finish().unwrap();
//! let layout = layout::plan(&tree, &layout::Options::default()).unwrap();
//! let bytes = image::bootstrap(&layout);
//! assert_eq!(bytes.len() as u64, layout.metadata_bytes());
//! ```

mod blocks;
mod directory;
mod disk;
mod head;
mod inodes;
pub(crate) mod metadata;
mod pieces;
mod shape;
mod stream;
#[cfg(test)]
mod tests;

pub use disk::{DiskPlan, Segment, Source, disk};
pub use head::{head, set_uuid};
pub use metadata::{body, bootstrap};
pub use pieces::{Piece, pieces};
