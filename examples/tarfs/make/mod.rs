//! What commands make of layers: bootstraps, disks, hash trees, and forms over files as they lie.

pub(crate) mod directory;
pub(crate) mod disk_files;
pub(crate) mod image;
pub(crate) mod job;
pub(crate) mod known_digests;
pub(crate) mod over_files;
pub(crate) mod volume;
