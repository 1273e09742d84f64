//! The command line of `tarfs export`.

use std::path::PathBuf;

use clap::{Args as Group, ValueEnum};
use erofs_tarfs::export;

use crate::cli::change_options::Changing;
use crate::cli::hash_tree_options::Sealing;
use crate::cli::help::LAYERS;
use crate::cli::image_options::Layout;
use crate::cli::marks::Marks;
use crate::cli::reading_options::Inputs;
use crate::files::durable::Durability;
use crate::make::disk_form::DiskForms;
use crate::make::known_digests;

/// Of `tarfs export`.
pub(super) const HELP: &str = "\
A LAYER is a tar (.tar, .tar.gz, .tar.zst, .tar.xz, .tar.bz2), a bootstrap or disk, - for standard input, or an image
(oci:, oci-archive:, docker-archive:, dir:); several are given lowest first (`tarfs merge --help`
says more).

layer_* modes with several layers write one file for each into the directory -o, named by its tag
(TAG.disk, TAG.vmdk, TAG.sh, or TAG.verity for the tree alone), and print in layer order.

*_verity_only modes hash the disk that the same layers and options would give, without writing it.
The output is the hash tree in a file of its own; the disk is had at any time by the *_block mode,
or as a device-mapper table over bootstrap and tars.

With --placement data-first, in image_* modes with blocks of 512 bytes, compressed layers that are files (of their own, or
of oci: and dir:, there gzip) are unpacked into the disk itself; others into files without names beside it, out of which
they are copied. The bytes are the same.

--sealed takes the digests of a layer's data out of the tree that layer_block_with_verity put behind
its disk. The image gets the bytes that it gets without.

--form says how disks come out. Only raw copies (or shares, where the filesystem has reflinks); the
others leave tars where they are and write OUT.metadata, with all that is in no tar. --gpt puts the
disks into one disk, a partition each. --gpt=dps is of one image, as systemd finds it: a root partition
for the processors of --platform, of the image or of this machine, and its hash tree, with a superblock,
in a partition of its own; the UUIDs of the two are the halves of the root hash. dps-usr: the same of /usr.

  tarfs export --mode image_block_with_verity --align 512KiB -o image.disk --json a.tar b.tar
  tarfs export --mode layer_block -o disks/ oci:DIR:latest
  tarfs export --mode image_block --form vmdk -o image.vmdk a.tar b.tar
    qemu-system-x86_64 -drive file=image.vmdk,readonly=on …   # or a guest could write to the tars
  tarfs export --mode image_block_with_verity --form dm-linear -o image.sh a.tar b.tar
    sh image.sh NAME                                          # makes /dev/mapper/NAME
  tarfs export --mode layer_block --gpt --form vmdk -o layers.vmdk a.tar b.tar
  tarfs export --mode image_block_with_verity --gpt=dps -o image.raw oci:DIR:latest
    systemd-dissect --root-hash=$ROOT image.raw
  tarfs export --mode image_verity_only -o tree --sealed a.disk=$A --sealed b.disk=$B a.disk b.disk";

/// The six modes, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// A disk of each layer.
    LayerBlock,
    /// A disk of the merged layers.
    ImageBlock,
    /// A disk of each layer, a hash tree behind it.
    LayerBlockWithVerity,
    /// A disk of the merged layers, a hash tree behind it.
    ImageBlockWithVerity,
    /// The hash tree alone of each layer's disk.
    LayerVerityOnly,
    /// The hash tree alone of the merged layers' disk.
    ImageVerityOnly,
}

impl From<Mode> for export::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::LayerBlock => Self::LayerBlock,
            Mode::ImageBlock => Self::ImageBlock,
            Mode::LayerBlockWithVerity => Self::LayerBlockWithVerity,
            Mode::ImageBlockWithVerity => Self::ImageBlockWithVerity,
            Mode::LayerVerityOnly => Self::LayerVerityOnly,
            Mode::ImageVerityOnly => Self::ImageVerityOnly,
        }
    }
}

#[derive(Debug, Group)]
#[command(after_help = LAYERS, after_long_help = HELP)]
pub(crate) struct Export {
    /// What to make.
    #[arg(long)]
    pub(crate) mode: Mode,
    /// Output: a file, or a directory for a layer_* mode with several layers.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) forms: DiskForms,
    #[command(flatten)]
    pub(crate) layout: Layout,
    #[command(flatten)]
    pub(crate) changing: Changing,
    #[command(flatten)]
    pub(crate) sealing: Sealing,
    /// DISK is one of the layers, has a hash tree of these parameters behind it, and this root
    /// hash: its tree is verified, and its data not hashed again. Once for each such layer.
    #[arg(long, value_name = "DISK=ROOT", value_parser = known_digests::parse)]
    pub(crate) sealed: Vec<known_digests::SealedLayer>,
    #[command(flatten)]
    pub(crate) marks: Marks,
    #[command(flatten)]
    pub(crate) durability: Durability,
    /// Print one JSON object about each output, one a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}
