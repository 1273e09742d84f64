//! The command line of `tarfs layer`.

use std::path::PathBuf;

use clap::Args as Group;

use crate::cli::change_options::Changing;
use crate::cli::hash_tree_options::Sealing;
use crate::cli::image_options::Layout;
use crate::cli::marks::Marks;
use crate::cli::reading_options::Rules;
use crate::files::durable::Durability;

/// Of `tarfs layer`.
pub(super) const HELP: &str = "\
Examples:
  tarfs layer layer.tar                        # layer.tar.erofs over layer.tar
  tarfs layer -o base.erofs base.tar.zst       # and its uncompressed tar beside it
  curl -sf URL | tarfs layer --strict --disk -o base.disk -      # a broken connection is an error
  zcat layer.tar.gz | tarfs layer --disk --placement data-first --verity -o base.disk -
  tarfs layer --blob-id $DIGEST big.tar        # the fast way: bodies are not read

The tag of the device is the blob ID: --blob-id, or the SHA-256 of the uncompressed tar, which
costs reading all of it. A compressed tar or a stream cannot be a device itself: without --disk
its uncompressed tar is put beside OUT, named by the tag (it is found again by itself if that is its
SHA-256, and by --tars else), unless --index-only says that it is kept
elsewhere (`tee layer.tar | tarfs layer --index-only -o layer.erofs -`).

No byte at all is an error. A tar that ends without its two zero blocks may have been cut short between
two entries, which nobody can tell: GNU tar and containerd take it as it is; so does this, and warns,
and fails with --strict.

Extended attributes of namespaces that EROFS does not have (com.apple.…) are dropped, and a warning counts
them; so are access control lists as text without numbers. With --strict they are errors. A .. in a name,
and a type of entry that nobody knows, are errors without --resolve-dot-dot and --skip-unknown-types.

With --placement data-first a stream is written and hashed once, as it goes by: the disk is whole,
root hash included, when the stream ends.";

#[derive(Debug, Group)]
#[command(after_help = HELP)]
pub(crate) struct Layer {
    /// Output; INPUT with `.erofs` behind it, or `.disk`, if not given.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Make a disk, tar included, instead of a bootstrap.
    #[arg(long)]
    pub(crate) disk: bool,
    /// Put a dm-verity hash tree behind the disk.
    #[arg(long, requires = "disk")]
    pub(crate) verity: bool,
    #[command(flatten)]
    pub(crate) sealing: Sealing,
    /// Do not keep the uncompressed tar of a stream: somebody else does.
    #[arg(long, conflicts_with = "disk")]
    pub(crate) index_only: bool,
    /// Tag of the device, up to 64 bytes; the SHA-256 of the uncompressed tar if not given.
    #[arg(long, value_name = "ID")]
    pub(crate) blob_id: Option<String>,
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// Fail where else there is a warning about the tar: no end, so that it may have been cut short,
    /// or something in it that an image has no place for.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) layout: Layout,
    #[command(flatten)]
    pub(crate) changing: Changing,
    #[command(flatten)]
    pub(crate) marks: Marks,
    #[command(flatten)]
    pub(crate) durability: Durability,
    /// Print one JSON object about the output.
    #[arg(long)]
    pub(crate) json: bool,
    /// A tar (.tar, .tar.gz, .tar.zst, .tar.xz, .tar.bz2, told by its first bytes), or - for standard input.
    #[arg(value_name = "INPUT|-")]
    pub(crate) input: PathBuf,
}
