//! What commands make of layers: bootstraps, and disks in all their forms.

pub(crate) mod directory;
pub(crate) mod disk_files;
pub(crate) mod disk_form;
pub(crate) mod image;
pub(crate) mod job;
pub(crate) mod known_digests;
pub(crate) mod over_files;
pub(crate) mod volume;
