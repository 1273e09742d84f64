//! Container layers as EROFS filesystems over the tars as they lie.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod format;
#[cfg(feature = "std")]
pub mod io;
pub mod read;
pub mod tar;
pub mod tree;
pub mod units;
pub mod verity;
