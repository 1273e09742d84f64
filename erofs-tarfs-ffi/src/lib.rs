//! C API of erofs-tarfs: the library `tarfs` and its header `include/tarfs.h`.
//!
//! Today it reports versions; the pipeline's calls follow. What they stand on is here already:
//!
//! - [`status`]: what a call returns. [`error`]: the details, as an object that the caller owns.
//! - [`panic`]: the boundary that no panic crosses, and the handle that one poisons.
//! - [`pointer`]: the only place that turns a caller's pointer into a Rust reference.
//! - [`version`]: of the library and of its ABI.
//!
//! The header is generated from this source (see `tests/header.rs`), so comments on exported items
//! are written for C programmers. Unsafe code is denied, and allowed by name in the files that
//! export symbols or hold a caller's pointer.
#![allow(
    clippy::missing_safety_doc,
    reason = "what C must keep to is in the header: its conventions, and a comment at each call"
)]
#![cfg_attr(
    not(test),
    expect(dead_code, reason = "tested groundwork: the pipeline's calls will stand on it")
)]

extern crate alloc;

pub mod error;
mod panic;
mod pointer;
pub mod status;
pub mod version;
