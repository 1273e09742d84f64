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
mod builder;
mod device;
mod error;
mod finish;
mod index;
mod inode;
mod layer;
mod links;
mod markers;
mod merge;
mod model;
mod names;
mod pack;
mod path;
mod place;
mod sparse;
mod xattrs;

pub use builder::{Builder, Node, What, XattrSet};
pub use device::{Device, Identity, Origin};
pub use error::{EntryError, Error, Rule};
pub use inode::{Attributes, Body, Content, Extent, InodeId, NodeKind, Place};
pub use layer::{Layer, LayerBuilder, LayerNotes, LayerOptions};
pub use merge::{MergeOptions, Note, merge, merge_noting};
pub use model::{Tree, XattrIter};
pub use pack::{Packed, pack};
