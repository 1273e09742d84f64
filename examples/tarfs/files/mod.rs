//! Files: found by their arguments, opened to be read, and written so that they are whole or not there.

pub(crate) mod argument_files;
pub(crate) mod descriptors;
pub(crate) mod digest;
pub(crate) mod digest_reader;
pub(crate) mod directory;
pub(crate) mod durable;
pub(crate) mod hash_tree_partition;
pub(crate) mod kind;
pub(crate) mod open;
pub(crate) mod output;
pub(crate) mod partition;
pub(crate) mod place;
pub(crate) mod protected;
pub(crate) mod stream;
pub(crate) mod target;
pub(crate) mod unchanged;
pub(crate) mod xattrs;
