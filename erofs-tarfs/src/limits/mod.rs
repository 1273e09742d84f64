//! How much an input may cost: one set of limits, which every stage takes.
//!
//! Whoever wrote a layer chose its bytes, and few of them can ask for much: memory, time, room on a disk. Each
//! [`Limit`] bounds one of these levers. The defaults are for layers of strangers: far over what real images have,
//! and low enough that a layer takes no more memory than four times the length of its uncompressed tar, and an image
//! of it no more room than twice that, apart from what [`Limits::max_implied`] and [`Limits::max_table_bytes`] allow in any
//! case. An error is an [`OverLimit`], which has the limit, its value, and how much
//! there is.
//!
//! ```
//! use erofs_tarfs::limits::{Limit, Limits};
//! use erofs_tarfs::tree::{Error, LayerBuilder, LayerOptions, Rule};
//! # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//! # use doc::tar_of;
//!
//! let limits = Limits::new().max_entries(1);
//! let mut builder = LayerBuilder::new(LayerOptions::new().limits(limits));
//! let Err(Error::Entry(entry)) = builder.push(&tar_of(&[("a", ""), ("b", "")])) else { panic!() };
//! let Rule::Limit(over) = entry.rule else { panic!() };
//! assert_eq!((over.limit, over.value, over.most), (Limit::Entries, 2, 1));
//! assert_eq!(over.to_string(), "2 entries are over the limit max_entries of 1");
//! ```
//!
//! # Which stage asks for which
//! The [`tar`](crate::tar) stage for bytes, paths, extension headers, attributes and sparse maps; a layer
//! ([`tree`](crate::tree)) for entries, inodes, depth, names, and what it carries; a merge, and whoever
//! makes a tree of an image ([`read`](crate::read)), for inodes and depth; a
//! [`layout`](crate::layout) for tables and metadata; decompression for the ratio. The library reads no JSON: that
//! limit is for the programs over it, which hand this struct around.

mod list;
mod over;

pub use list::{Limit, Limits};
pub use over::OverLimit;
