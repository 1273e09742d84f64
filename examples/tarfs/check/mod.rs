//! What `tarfs check` finds out about an image.

pub(crate) mod compare;
pub(crate) mod filesystem;
pub(crate) mod hash_tree_compared;
pub(crate) mod image;
pub(crate) mod layered;
pub(crate) mod options;
pub(crate) mod overlay_marks;
pub(crate) mod partitions;
pub(crate) mod sealed_data;
pub(crate) mod tar_digests;
pub(crate) mod verdict;
