//! The command line of `tarfs cache`.

use std::path::PathBuf;

use clap::Args as Group;

use crate::cli::hash_tree_options::Hashing;
use crate::cli::numbers;
use crate::cli::reading_options::Inputs;
use crate::files::durable::Durability;

/// Of `tarfs cache`.
const HELP: &str = "\
DIR is one of layer_content_caches in containerd's configuration (from 2.4 on). For a layer that is in it
containerd fetches nothing and needs no mkfs.erofs: an entry is DIR/sha256/XX/DIFFID.erofs, as of
`ctr image build-erofs-cache`, which makes it in containerd of an image that was pulled.

  [plugins.'io.containerd.snapshotter.v1.erofs']
    layer_content_caches = [\"/var/lib/layers\"]

  tarfs cache /var/lib/layers oci:DIR:latest
  tarfs cache /var/lib/layers docker-archive:FILE base.tar.zst
  tarfs cache --verity containerd-4k /var/lib/layers oci:DIR:latest    # with dmverity_mode = \"on\"

A LAYER is a tar or an image (`tarfs merge --help` says more). The layers of an image are in the cache when
all of them are made. Those that are there already are kept, and not read: an entry is looked at, its UUID,
length, block size and hash tree, but its data is not. What is wrong is made anew, and --force makes all
anew. What is there by the name of an entry, and is no regular file, is an error.";

#[derive(Debug, Group)]
#[command(after_help = HELP)]
pub(crate) struct Cache {
    /// Block size of the filesystems in bytes. 4096 is what containerd asks for, and copies file data to
    /// blocks of that size; with 512 the tar stays as it is.
    #[arg(long, value_name = "N", default_value = "4096", value_parser = numbers::bytes)]
    pub(crate) block_size: u64,
    /// Seal each layer with a hash tree, of blocks of 512 or of 4096 bytes, and write its sidecar.
    #[arg(long, value_name = "PRESET", value_parser = ["containerd", "containerd-4k"])]
    pub(crate) verity: Option<String>,
    /// Make all entries anew.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) hashing: Hashing,
    #[command(flatten)]
    pub(crate) durability: Durability,
    /// Print one JSON object about each entry, one a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// The cache. It is made if it is not there.
    #[arg(value_name = "DIR")]
    pub(crate) cache: PathBuf,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}
