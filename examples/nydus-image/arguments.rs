//! The command line: commands, what all of them take, and the help.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::check::Check;
use crate::create::Create;
use crate::export::Export;
use crate::inspect::Inspect;
use crate::merge::Merge;

const HELP: &str = "\
This is nydus-image of erofs-tarfs, not of Nydus. It does what nydus-snapshotter calls nydus-image for in
tarfs mode ([experimental.tarfs]), and nothing else:

  nydus-image create --type tar-tarfs --bootstrap LAYER.boot --blob-id ID --blob-dir DIR TAR
  nydus-image merge --bootstrap IMAGE.boot LAYER.boot…             the lowest layer first
  nydus-image inspect \"-R blobs\" IMAGE.boot
  nydus-image export --block --localfs-dir DIR --bootstrap BOOT --output DISK [--verity]
  nydus-image check BOOT

Where it differs from Nydus:
  * A bootstrap is plain EROFS. nydusd does not read it, Linux mounts it. Bootstraps in tarfs mode that
    nydus-image 2.4 of Nydus made are read by all commands, and may be merged with ours.
  * merge has a device for each layer, in the order of the layers, also for a layer that is there twice:
    they are mounted with a device= for each, in that order.
  * Whiteouts of a layer (.wh.NAME, .wh..wh..opq) are those of overlayfs in its bootstrap and in its
    disk, so that a guest that stacks the disks hides what they hide. Bootstraps of Nydus have them as
    files of these names. merge obeys both.
  * The hash tree is the one that veritysetup makes, so the root hash differs from that of Nydus.
  * A tar that is shorter or longer than its bootstrap says is an error of export, and so is all that
    is cut short. An output gets its name when it is whole. After an error there is none.
  * The same layers give the same bytes: no clock, and no order by chance.

Refused: other types than tar-tarfs, other commands, and options that would make another filesystem.
Exit code: 0; 1 for bad input or I/O and for what is refused; 2 for a wrong command line, and for a
bootstrap of another kind than a tarfs.";

/// Behind "Version:", as Nydus's program has it.
const VERSION: &str = concat!(
    "\nVersion: \tv",
    env!("CARGO_PKG_VERSION"),
    "\nProgram: \tnydus-image of erofs-tarfs, for tarfs alone; not of Nydus"
);

/// Make, merge, export and check the bootstraps of container layers in tarfs mode.
#[derive(Debug, Parser)]
#[command(
    name = "nydus-image",
    bin_name = "nydus-image",
    version = VERSION,
    max_term_width = 110,
    after_help = HELP
)]
pub(crate) struct Arguments {
    /// Where messages go, which here is always standard error: accepted, and without effect.
    #[arg(short = 'L', long, value_name = "FILE", global = true, hide = true)]
    pub(crate) log_file: Option<OsString>,
    /// How much is said: accepted, and without effect.
    #[arg(short = 'l', long, value_name = "LEVEL", global = true, hide = true)]
    pub(crate) log_level: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub(crate) enum Command {
    /// Make the bootstrap of a layer's tar.
    Create(Create),
    /// Make one bootstrap of those of an image's layers.
    Merge(Merge),
    /// Tell as JSON what is in a bootstrap.
    Inspect(Inspect),
    /// Make a disk of a bootstrap and its tars.
    Export(Export),
    /// Check a bootstrap, and with --blob-dir its tars.
    Check(Check),
    /// Commands of Nydus's program that this one does not have, and all other words.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}
