//! dm-verity: parameters of hash trees, data hashed as it streams by or as a file, digests kept.

pub mod hasher;
pub(crate) mod hashes;
pub mod leaves;
pub mod params;
pub mod seal;
pub mod sealed;
pub(crate) mod threads;
