//! The command line of `tarfs check`.

use std::path::PathBuf;

use clap::Args as Group;

use super::{Hashing, Preset, Where};

#[derive(Debug, Group)]
#[command(after_help = "\
All that can be is read: the tars in a disk, or those of a bootstrap that are found, against the
SHA-256 that their tags say; a hash tree behind the filesystem, and all data under it. What was not
checked is listed: tars that are not found, tags that are no digest, bytes behind the filesystem that
are no tree of these parameters. It is no fault, unless --strict makes it one.

Of a disk with partitions both tables are read, each EROFS in it, and what is between. A volume as systemd
finds it is held against the hash tree in its other partition; their UUIDs say the root hash, but they
are in the disk too: --root makes sure.

A sealed disk that was cut where its filesystem ends is a disk like any other: --root tells.

Examples:
  tarfs check image.erofs                        # and its tars, if they are found
  tarfs check --root $ROOT image.disk            # and all data against the root hash
  tarfs check --against base.tar app.tar image.disk")]
pub(crate) struct Check {
    /// Layers that the image must be the merge of, lowest first; any LAYER of merge.
    #[arg(long, value_name = "TAR", num_args = 1..)]
    pub(crate) against: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) at: Where,
    /// Root hash that the disk must have: 64 hex digits.
    #[arg(long, value_name = "ROOT")]
    pub(crate) root: Option<erofs_tarfs::verity::Digest>,
    #[command(flatten)]
    pub(crate) verity: Preset,
    #[command(flatten)]
    pub(crate) hashing: Hashing,
    /// Only the structure, and that all bytes are there: what is in files is not read.
    #[arg(long, conflicts_with_all = ["root", "against"])]
    pub(crate) quick: bool,
    /// What is not checked is a fault.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// A bootstrap or a disk; may be the last of --against's arguments.
    #[arg(value_name = "IMAGE", required_unless_present = "against")]
    pub(crate) image: Option<PathBuf>,
}
