//! Entries to one layer, layers to one tree.
//!
//! ```text
//! base.tar ─ LayerBuilder ─→ Tree ─┐
//! app.tar  ─ LayerBuilder ─→ Tree ─┼─ merge ─→ Tree of the image ─→ layout
//! an image ─ read::Image  ─→ Tree ─┘
//! ```
//!
//! A [`Tree`] is an arena: small inodes, names in one buffer, no whole paths. [`LayerBuilder`]
//! makes one of a tar as it streams in; [`merge()`] puts layers on top of one another under the
//! whiteout rules of the OCI image specification; [`Builder`] makes one by hand; [`pack()`] gives the
//! bodies of files places on a coarser grid; [`change()`] gives them other owners and times than layers say.
//!
//! What is decided here: what a path means, which entry wins, what a whiteout hides, which name a hard
//! link shares an inode with, and which devices are one. Where anything will lie in an image is not
//! known yet. File contents stay in their tars: a tree says in which device they are, and from which
//! byte on.
//!
//! ```
//! use erofs_tarfs::tree::{LayerBuilder, LayerOptions, MergeOptions, merge};
//! # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//! # use doc::tar_of;
//!
//! let mut layers = Vec::new();
//! for tar in [tar_of(&[("etc/motd", "hello\n")]), tar_of(&[("etc/.wh.motd", "")])] {
//!     let mut builder = LayerBuilder::new(LayerOptions::default());
//!     builder.push(&tar)?;
//!     layers.push(builder.finish()?.tree);
//! }
//! let image = merge(&[&layers[0], &layers[1]], &MergeOptions::default())?;
//! assert_eq!(image.lookup(b"etc/motd"), None, "the upper layer removed it");
//! # Ok::<(), erofs_tarfs::tree::Error>(())
//! ```
//!
//! # Limits
//! Names have at most 255 bytes, targets of symbolic links 4095, values of extended attributes 65535.
//! A tree has fewer than 2^32 inodes and 65535 devices; how much a layer may cost say its
//! [limits](LayerOptions::limits), those of layers that are merged [`MergeOptions::limits`]. What breaks a rule is an [`Error`] that names
//! the entry and its offset in the tar.
//!
//! # References
//! - OCI image-spec, `layer.md`: whiteouts and opaque whiteouts.
//! - Linux, `Documentation/filesystems/overlayfs.rst`: what a merged directory shows.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod access;
mod acl;
mod apply;
mod body;
mod builder;
mod change;
mod device;
mod error;
mod file;
mod finish;
mod index;
mod inode;
mod layer;
mod layer_options;
mod links;
mod markers;
mod merge;
mod model;
mod names;
mod owned;
mod pack;
mod path;
mod place;
mod rearrange;
mod recent;
mod sparse;
mod state;
mod walk;
mod xattrs;

pub use body::{Body, Extent, Packed, Place};
pub use builder::{Builder, Node, What, XattrSet};
pub use change::{Changes, change, label, without};
pub use device::{Device, Identity, Origin};
pub use error::{EntryError, Error, Rule};
pub use file::File;
pub use inode::{Attributes, Content, InodeId, NodeKind};
pub use layer::{Layer, LayerBuilder};
pub use layer_options::{LayerNotes, LayerOptions};
pub use merge::{MergeOptions, Merger, Note, merge, merge_noting};
pub use model::{Tree, XattrIter};
pub use pack::pack;
pub use walk::{Visited, Walk};
