#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
// Pages say which feature and which system an item needs; only the nightly rustdoc can.
#![cfg_attr(docsrs, feature(doc_cfg))]
// No panic by oversight: `tar`, `read`, `tree` and `format`, which meet the bytes of strangers first, deny indexing and
// arithmetic that can overflow too.
#![cfg_attr(not(test), deny(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

extern crate alloc;

pub mod disk;
mod error;
pub mod export;
pub mod format;
pub mod image;
pub mod ingest;
#[cfg(feature = "std")]
pub mod io;
pub mod layout;
pub mod limits;
pub mod outputs;
pub mod read;
pub mod tar;
pub mod tree;
pub mod units;
pub mod verity;

pub use error::{Error, ErrorKind};

/// The programs of the repository's README, run as tests too.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../../README.md")]
struct Repository;
