//! Entries to one layer, layers to one tree.
//!
//! A [`Tree`] is an arena: small inodes, names in one buffer, no whole paths. [`LayerBuilder`]
//! makes one of a tar as it streams in; [`merge()`] puts layers on top of one another under the
//! whiteout rules of the OCI image specification; [`Builder`] makes one by hand.
//!
//! # References
//! - OCI image-spec, `layer.md`: whiteouts and opaque whiteouts.
//! - Linux, `Documentation/filesystems/overlayfs.rst`: what a merged directory shows.

mod acl;
mod apply;
mod body;
mod builder;
mod device;
mod error;
mod file;
mod finish;
mod index;
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
mod sparse;
mod state;
mod walk;
mod xattrs;

pub use body::{Body, Extent, Packed, Place};
pub use builder::{Builder, Node, What, XattrSet};
pub use device::{Device, Identity, Origin};
pub use error::{EntryError, Error, Rule};
pub use file::File;
pub use layer::{Layer, LayerBuilder};
pub use layer_options::{LayerNotes, LayerOptions};
pub use merge::{MergeOptions, Note, merge, merge_noting};
pub use model::{Attributes, Content, InodeId, NodeKind, Tree, XattrIter};
pub use pack::pack;
pub use walk::{Visited, Walk};
