//! What is to be checked of an image, and how.

use clap::Args as Group;

use crate::cli::hash_tree_options::{Hashing, Preset};
use crate::cli::reading_options::ReadingArgs;

/// The options of `tarfs check` that say what is read.
#[derive(Debug, Group)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) at: ReadingArgs,
    /// Root hash that the disk must have: 64 hex digits.
    #[arg(long, value_name = "ROOT")]
    pub(crate) root: Option<erofs_tarfs::verity::TreeDigest>,
    #[command(flatten)]
    pub(crate) verity: Preset,
    #[command(flatten)]
    pub(crate) hashing: Hashing,
    /// Only the structure, and that all bytes are there: what is in files is not read.
    #[arg(long, conflicts_with_all = ["root", "against"])]
    pub(crate) quick: bool,
}
