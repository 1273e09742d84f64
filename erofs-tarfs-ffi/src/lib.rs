//! C API of erofs-tarfs: the library `tarfs` and its header `include/tarfs.h`.
//!
//! Thin: each call converts its arguments, calls the library, converts what comes back.
//!
//! - [`abi`]: how C and Rust meet. [`streams`]: the caller's files and callbacks.
//! - [`trees`] (tars in), [`images`] (bootstraps and disks out, and read again), [`verity`],
//!   [`outputs`]: the calls, a file for each noun. [`exports`]: the main job in one call.
//!
//! `tests/import_table/c_rooms.rs` of the workspace holds which of them may import which. The header
//! has what they declare in the order in which they stand below.
//!
//! The header is generated from this source (see `tests/header.rs`), so comments on exported items
//! are written for C programmers. Unsafe code is denied, and allowed by name in the files that
//! export symbols or hold a caller's pointer.
#![allow(
    clippy::missing_safety_doc,
    reason = "what C must keep to is in the header: its conventions, and a comment at each call"
)]
extern crate alloc;

pub mod abi;

pub mod streams;

pub mod trees;

pub mod images;

pub mod verity;

pub mod outputs;

pub mod exports;
