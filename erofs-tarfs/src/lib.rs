#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
// Pages say which feature and which system an item needs; only the nightly rustdoc can.
#![cfg_attr(docsrs, feature(doc_cfg))]

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
