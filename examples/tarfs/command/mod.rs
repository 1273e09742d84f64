//! The commands, a file or a folder for each. `main.rs` calls them; they don't call each other.

pub(crate) mod cache;
pub(crate) mod cat;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod du;
pub(crate) mod export;
pub(crate) mod extract;
pub(crate) mod fsmeta;
pub(crate) mod inspect;
pub(crate) mod layer;
pub(crate) mod ls;
pub(crate) mod manual;
pub(crate) mod merge;
pub(crate) mod mount;
pub(crate) mod mount_args;
pub(crate) mod oci;
pub(crate) mod push;
pub(crate) mod root;
pub(crate) mod stat;
pub(crate) mod tar;
pub(crate) mod umount;
pub(crate) mod verity;
