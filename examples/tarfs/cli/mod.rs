//! What every command has to do with its user: options that several share, help, errors and exit
//! codes, warnings, progress, and the quoting of names.
//!
//! Nothing here knows a command, or what a layer is.

pub(crate) mod change_options;
pub(crate) mod fail;
pub(crate) mod hash_tree_options;
pub(crate) mod help;
pub(crate) mod image_options;
pub(crate) mod limits;
pub(crate) mod loudness;
pub(crate) mod marks;
pub(crate) mod numbers;
pub(crate) mod platform;
pub(crate) mod progress;
pub(crate) mod quote;
pub(crate) mod reading_options;
pub(crate) mod stages;
pub(crate) mod warn;
