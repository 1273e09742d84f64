//! C API of erofs-tarfs: the library `tarfs` and its header `include/tarfs.h`.
//!
//! Thin: each call converts its arguments, calls the library, converts what comes back.
//!
//! - [`status`]: what a call returns. [`error`]: the details, as an object that the caller owns.
//! - [`panic`]: the boundary that no panic crosses, and the handle that one poisons.
//! - [`pointer`]: the only place that turns a caller's pointer into a Rust reference; [`sized`]: the
//!   same for structs that can grow; [`stream`]: the caller's files and callbacks.
//! - [`layer`] (tars in), [`leaves`], [`tree`], [`stat`], [`contents`], [`layout`], [`disk`],
//!   [`verity_params`], [`hasher`], [`seal`], [`sealed`], [`image`], [`ranges`], [`gpt`]: the
//!   pipeline, a file an object.
//!
//! The header is generated from this source (see `tests/header.rs`), so comments on exported items
//! are written for C programmers. Unsafe code is denied, and allowed by name in the files that
//! export symbols or hold a caller's pointer.
#![allow(
    clippy::missing_safety_doc,
    reason = "what C must keep to is in the header: its conventions, and a comment at each call"
)]
extern crate alloc;

mod apart;
pub mod contents;
pub mod device;
pub mod disk;
pub mod error;
pub mod gpt;
pub mod hasher;
pub mod image;
pub mod layer;
pub mod layer_options;
pub mod layout;
pub mod leaves;
mod panic;
mod pieces;
mod pointer;
pub mod ranges;
pub mod seal;
pub mod sealed;
mod sized;
pub mod stat;
pub mod status;
pub mod stream;
pub mod tree;
pub mod verity_params;
pub mod version;
