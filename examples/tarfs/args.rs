//! The command line.

mod check;
mod verity;

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};

pub(crate) use self::check::Check;
pub(crate) use self::verity::{Preset, Verity, VerityFormat, VerityVerify};
use crate::form::Forms;
use crate::sizes;

/// Container layers as EROFS filesystems over the tars as they lie, sealed with dm-verity.
#[derive(Debug, Parser)]
#[command(name = "tarfs", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
A bootstrap is EROFS metadata whose file data stays in tars; a disk has both in one file.

  Index a layer, and see what is in it:
    tarfs layer layer.tar                  # makes layer.tar.erofs
    tarfs ls -l layer.tar.erofs /etc
  Mount it, the tar as its device, as this prints:
    tarfs mount-args layer.tar.erofs
  Merge layers, lowest first, into one image over their tars:
    tarfs merge -o image.erofs base.tar app.tar config.tar
  One raw disk with a dm-verity tree behind the data:
    tarfs export --mode image_block_with_verity -o image.disk base.tar app.tar
  The same of an OCI image as skopeo or umoci write it, or of `docker save`:
    tarfs export --mode image_block_with_verity -o image.disk oci:DIR:latest
    tarfs export --mode image_block_with_verity -o image.disk docker-archive:FILE

An output is whole or not there. It takes no place of a file that is read, or that an input needs; a
link is followed to its regular file. -o - is standard output, all of it at once when it is whole, and
what is said of it goes to standard error; a file of that name is ./-. Exit codes: 0 done, 1 bad input or a file that cannot be read or
written, 2 a command line that makes no sense.";

const LAYERS: &str = "\
A LAYER is any of these; several are given lowest first:
  FILE.tar, FILE.tar.gz, FILE.tar.zst   a tar, compressed or not, told by its first bytes
  a bootstrap or a disk                 made by tarfs, containerd ([index][tar]) or mkfs.erofs
  oci:DIR[:TAG]                         all layers of an image in an OCI image layout
  docker-archive:FILE                   all layers of the image in a `docker save` file
Layers of images are checked against their digests and diffIDs.
The tars of a bootstrap are looked for in --tars DIR or, without it, beside the bootstrap: by name
(TAG, TAG.tar, sha256-TAG), then by content, where the tag is a SHA-256.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a bootstrap, or a disk, of one tar.
    Layer(Layer),
    /// Merge layers into one bootstrap, or disk.
    #[command(after_help = LAYERS)]
    Merge(Merge),
    /// Make disks and hash trees, in one of six modes.
    #[command(after_help = LAYERS, after_long_help = EXPORT_HELP)]
    Export(Export),
    /// Seal a file with dm-verity, or verify one.
    #[command(subcommand)]
    Verity(Verity),
    /// Check an image: its structure, its tars, its hash tree, and against the layers it was made of.
    Check(Check),
    /// List a directory of an image.
    Ls(Ls),
    /// Show all that is known of a file in an image.
    Stat(Stat),
    /// Write a file of an image to standard output.
    Cat(PathIn),
    /// Show the superblock, devices and segments of an image.
    Inspect(Inspect),
    /// Print the commands that mount an image.
    MountArgs(MountArgs),
}

/// How a disk is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Placement {
    /// Metadata, then the tars, each at a multiple of --align.
    MetadataFirst,
    /// A head of 4096 bytes, the tars, then the metadata.
    DataFirst,
}

/// Choices of every image that is made.
#[derive(Debug, Group)]
pub(crate) struct Layout {
    /// Block size of the filesystem in bytes: 512, or up to 4096 where every file allows it.
    #[arg(long, value_name = "N", default_value = "512", value_parser = sizes::bytes)]
    pub(crate) block_size: u64,
    /// What comes first in a disk.
    #[arg(long, value_name = "P", default_value = "metadata-first")]
    pub(crate) placement: Placement,
    /// Metadata first: each tar starts at a multiple of this. Nydus uses 512KiB.
    #[arg(long, value_name = "N", default_value = "4096", value_parser = sizes::bytes)]
    pub(crate) align: u64,
    /// UUID of the filesystem; nil if not given.
    #[arg(long, value_name = "UUID")]
    pub(crate) uuid: Option<erofs_tarfs::verity::Uuid>,
    /// Write whiteouts as files named .wh.NAME, as Nydus does, instead of in overlayfs form.
    #[arg(long)]
    pub(crate) aufs_whiteouts: bool,
    /// Refer to all bodies by chunk indexes, 32 bytes a file, as mkfs.erofs must find them in
    /// layers that it merges.
    #[arg(long)]
    pub(crate) chunk_indexes: bool,
    /// Times in short inodes, half the size: needs Linux 6.15 to mount.
    #[arg(long)]
    pub(crate) compact: bool,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs layer layer.tar                        # layer.tar.erofs over layer.tar
  tarfs layer -o base.erofs base.tar.zst       # and its uncompressed tar beside it
  curl -sf URL | tarfs layer --strict --disk -o base.disk -      # a broken connection is an error
  zcat layer.tar.gz | tarfs layer --disk --placement data-first --verity -o base.disk -
  tarfs layer --blob-id $DIGEST big.tar        # the fast way: bodies are not read

The tag of the device is the blob ID: --blob-id, or the SHA-256 of the uncompressed tar, which
costs reading all of it. A compressed tar or a stream cannot be a device itself: without --disk
its uncompressed tar is put beside OUT, named by the tag, unless --index-only says that it is kept
elsewhere (`tee layer.tar | tarfs layer --index-only -o layer.erofs -`).

No byte at all is an error. A tar that ends without its two zero blocks may have been cut short between
two entries, which nobody can tell: GNU tar and containerd take it as it is; so does this, and warns,
and fails with --strict.

With --placement data-first a stream is written and hashed once, as it goes by: the disk is whole,
root hash included, when the stream ends.")]
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
    pub(crate) params: Preset,
    /// Do not keep the uncompressed tar of a stream: somebody else does.
    #[arg(long, conflicts_with = "disk")]
    pub(crate) index_only: bool,
    /// Tag of the device, up to 64 bytes; the SHA-256 of the uncompressed tar if not given.
    #[arg(long, value_name = "ID")]
    pub(crate) blob_id: Option<String>,
    /// Fail where else there is a warning: a tar without its end, that may have been cut short.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) layout: Layout,
    /// Print one JSON object about the output.
    #[arg(long)]
    pub(crate) json: bool,
    /// A tar (.tar, .tar.gz, .tar.zst, told by its first bytes), or - for standard input.
    #[arg(value_name = "INPUT|-")]
    pub(crate) input: PathBuf,
}

#[derive(Debug, Group)]
pub(crate) struct Inputs {
    /// Where the tars of bootstraps are; beside each bootstrap if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) tars: Option<PathBuf>,
    /// Fail where else there is a warning: a tar without its end, that may have been cut short.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Layers, lowest first.
    #[arg(value_name = "LAYER", required = true)]
    pub(crate) layers: Vec<PathBuf>,
}

#[derive(Debug, Group)]
pub(crate) struct Merge {
    /// Output.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Make a disk, tars included, instead of a bootstrap.
    #[arg(long)]
    pub(crate) disk: bool,
    #[command(flatten)]
    pub(crate) layout: Layout,
    /// Print one JSON object about the output.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

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

const EXPORT_HELP: &str = "\
A LAYER is a tar (.tar, .tar.gz, .tar.zst), a bootstrap or disk, oci:DIR[:TAG] or
docker-archive:FILE; several are given lowest first (`tarfs merge --help` says more).

layer_* modes with several layers write one file for each into the directory -o, named by its tag
(TAG.disk, TAG.vmdk, TAG.sh, or TAG.verity for the tree alone), and print in layer order.

*_verity_only modes hash the disk that the same layers and options would give, without writing it.
The output is the hash tree in a file of its own; the disk is had at any time by the *_block mode,
or as a device-mapper table over bootstrap and tars.

--sealed takes the digests of a layer's data out of the tree that layer_block_with_verity put behind
its disk. The image gets the bytes that it gets without.

--form says how disks come out. Only raw copies (or shares, where the filesystem has reflinks); the
others leave tars where they are and write OUT.metadata, with all that is in no tar. --gpt puts the
disks into one disk, a partition each.

  tarfs export --mode image_block_with_verity --align 512KiB -o image.disk --json a.tar b.tar
  tarfs export --mode layer_block -o disks/ oci:DIR:latest
  tarfs export --mode image_block --form vmdk -o image.vmdk a.tar b.tar
    qemu-system-x86_64 -drive file=image.vmdk,readonly=on …   # or a guest could write to the tars
  tarfs export --mode image_block_with_verity --form dm-linear -o image.sh a.tar b.tar
    sh image.sh NAME                                          # makes /dev/mapper/NAME
  tarfs export --mode layer_block --gpt --form vmdk -o layers.vmdk a.tar b.tar
  tarfs export --mode image_verity_only -o tree --sealed a.disk=$A --sealed b.disk=$B a.disk b.disk";

#[derive(Debug, Group)]
pub(crate) struct Export {
    /// What to make.
    #[arg(long)]
    pub(crate) mode: Mode,
    /// Output: a file, or a directory for a layer_* mode with several layers.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) forms: Forms,
    #[command(flatten)]
    pub(crate) layout: Layout,
    #[command(flatten)]
    pub(crate) verity: Preset,
    /// DISK is one of the layers, has a hash tree of these parameters behind it, and this root
    /// hash: its tree is verified, and its data not hashed again. Once for each such layer.
    #[arg(long, value_name = "DISK=ROOT", value_parser = crate::leaves::sealed)]
    pub(crate) sealed: Vec<crate::leaves::Sealed>,
    /// Print one JSON object about each output, one a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

#[derive(Debug, Group)]
pub(crate) struct Ls {
    /// Mode, links, owner, size, time and target as well.
    #[arg(short)]
    pub(crate) long: bool,
    /// Names and targets as they are, also on a terminal, where they are quoted as `ls` does.
    #[arg(long)]
    pub(crate) raw: bool,
    /// End each line with a zero byte, for names that have newlines in them; implies --raw.
    #[arg(short = '0', long = "zero")]
    pub(crate) zero: bool,
    /// An image, or any LAYER of merge.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
    /// A path in it.
    #[arg(value_name = "PATH", default_value = "/")]
    pub(crate) path: std::ffi::OsString,
}

#[derive(Debug, Group)]
pub(crate) struct Stat {
    /// Names and targets as they are, also on a terminal, where they are quoted as `ls` does.
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) at: PathIn,
}

#[derive(Debug, Group)]
pub(crate) struct PathIn {
    /// Where the tars of a bootstrap are; beside it if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) tars: Option<PathBuf>,
    /// An image, or any LAYER of merge.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
    /// A path in it; symbolic links are not followed.
    #[arg(value_name = "PATH")]
    pub(crate) path: std::ffi::OsString,
}

#[derive(Debug, Group)]
#[command(after_help = "\
A hash tree behind the filesystem is found if it has the parameters of the options, of its
superblock, or of a preset.")]
pub(crate) struct Inspect {
    /// Print one JSON object, one a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw to scale what lies where, all images to one scale.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) verity: Preset,
    /// Bootstraps or disks.
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<PathBuf>,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs mount-args image.erofs                   # over its tars, in device-table order
  tarfs mount-args --root $ROOT image.disk       # through dm-verity, tree behind the data
  tarfs mount-args --root $ROOT --hash image.verity image.disk
  tarfs mount-args --device a.disk --device b.disk image.erofs   # merged over layers' disks")]
pub(crate) struct MountArgs {
    /// File of a device, in the order of the device table; of all devices or of none. Layers'
    /// disks must be named so: no tag says where in its file a device starts.
    #[arg(long = "device", value_name = "FILE", conflicts_with_all = ["tars", "root"])]
    pub(crate) devices: Vec<PathBuf>,
    /// Where the tars of a bootstrap are; beside it if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) tars: Option<PathBuf>,
    /// Root hash of a sealed disk: 64 hex digits.
    #[arg(long, value_name = "ROOT")]
    pub(crate) root: Option<erofs_tarfs::verity::Digest>,
    /// Where the hash tree is; behind the data if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) hash: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) verity: Preset,
    /// Where to mount.
    #[arg(long, value_name = "DIR", default_value = "/mnt")]
    pub(crate) mount_point: PathBuf,
    /// A bootstrap or a disk.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
}
