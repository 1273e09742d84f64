//! A layout as bytes: metadata, and the segments of a disk. Nothing is decided here, so nothing
//! but the caller's sink can fail.
//!
//! ```text
//!           ┌ head ─→ bytes ─┐
//! Layout ───┤                ├─→ bootstrap: the metadata in one piece
//!    │      └ body ─→ bytes ─┘
//!    └─ disk ─→ DiskPlan ─ pieces ─→ bytes, zeros, and "device 1 from byte 0 on, 10240 bytes"
//! ```
//!
//! The bytes of devices are never here: a [`DiskPlan`] says where they belong, and the caller copies,
//! shares or maps them. Metadata comes in pieces of about 64 KiB.
//!
//! ```
//! use erofs_tarfs::{image, layout};
//! # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//! # use doc::layer_of;
//!
//! let tree = layer_of(&[("etc/motd", "hello\n")]);
//! let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
//! let bytes = image::bootstrap(&layout);
//! assert_eq!(bytes.len() as u64, layout.metadata_bytes());
//! # Ok::<(), layout::Error>(())
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
mod xattrs;

pub use disk::{DiskPlan, Segment, SegmentSource, disk};
pub use head::{head, set_uuid};
pub use metadata::{body, bootstrap};
pub use pieces::{Piece, pieces};
