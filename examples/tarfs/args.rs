//! The command line.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use erofs_tarfs::verity::Params;

use crate::form::Forms;
use crate::sizes::{self, Salt};

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

An output is whole or not there. Exit codes: 0 done, 1 bad input or a file that cannot be read or
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
    /// Check an image: its structure, and against the tars it was made of.
    Check(Check),
    /// List a directory of an image.
    Ls(Ls),
    /// Show all that is known of a file in an image.
    Stat(PathIn),
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
  curl -s URL | tarfs layer --disk -o base.disk -
  tarfs layer --blob-id $DIGEST big.tar        # the fast way: bodies are not read

The tag of the device is the blob ID: --blob-id, or the SHA-256 of the uncompressed tar, which
costs reading all of it. A compressed tar or a stream cannot be a device itself: without --disk
its uncompressed tar is put beside OUT, named by the tag.")]
pub(crate) struct Layer {
    /// Output; INPUT with `.erofs` behind it, or `.disk`, if not given.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Make a disk, tar included, instead of a bootstrap.
    #[arg(long)]
    pub(crate) disk: bool,
    /// Tag of the device, up to 64 bytes; the SHA-256 of the uncompressed tar if not given.
    #[arg(long, value_name = "ID")]
    pub(crate) blob_id: Option<String>,
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

--form says how disks come out. Only raw copies (or shares, where the filesystem has reflinks); the
others leave tars where they are and write OUT.metadata, with all that is in no tar. --gpt puts the
disks into one disk, a partition each.

  tarfs export --mode image_block_with_verity --align 512KiB -o image.disk --json a.tar b.tar
  tarfs export --mode layer_block -o disks/ oci:DIR:latest
  tarfs export --mode image_block --form vmdk -o image.vmdk a.tar b.tar
    qemu-system-x86_64 -drive file=image.vmdk,readonly=on …   # or a guest could write to the tars
  tarfs export --mode image_block_with_verity --form dm-linear -o image.sh a.tar b.tar
    sh image.sh NAME                                          # makes /dev/mapper/NAME
  tarfs export --mode layer_block --gpt --form vmdk -o layers.vmdk a.tar b.tar";

#[derive(Debug, Group)]
pub(crate) struct Preset {
    /// Block sizes, salt and superblock as others have them.
    #[arg(long, value_name = "NAME", default_value = "nydus", value_parser = Params::NAMES)]
    pub(crate) preset: String,
    /// Data block size in bytes, instead of the preset's.
    #[arg(long, value_name = "N", value_parser = sizes::bytes)]
    pub(crate) data_block_size: Option<u64>,
    /// Hash block size in bytes, instead of the preset's.
    #[arg(long, value_name = "N", value_parser = sizes::bytes)]
    pub(crate) hash_block_size: Option<u64>,
    /// Salt as hex digits, or - for none, instead of the preset's.
    #[arg(long, value_name = "HEX", value_parser = sizes::hex)]
    pub(crate) salt: Option<Salt>,
    /// Put a superblock before the tree; its UUID is derived from the root hash.
    #[arg(long)]
    pub(crate) superblock: bool,
    /// How many threads hash; as many as the machine has if not given.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZero<usize>>,
}

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
    /// Print one JSON object about each output, one a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verity {
    /// Append a hash tree to DATA, or write it to a file of its own.
    ///
    /// DATA is padded with zeros to whole blocks first.
    Format(VerityFormat),
    /// Verify all of DATA and its tree.
    ///
    /// The parameters are those of the preset and the options. Where the tree lies behind the data,
    /// --data-blocks says how much is data; in a disk with EROFS it is found by itself.
    Verify(VerityVerify),
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity format disk                       # 512/4096, no salt, no superblock: as Nydus
  tarfs verity format --preset veritysetup --hash disk.verity disk")]
pub(crate) struct VerityFormat {
    #[command(flatten)]
    pub(crate) params: Preset,
    /// Where the tree goes; behind the data if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) hash: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// The file to seal.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity verify image.disk ROOT            # a sealed disk
  tarfs verity verify --data-blocks 379918 FILE ROOT
  tarfs verity verify --hash disk.verity disk ROOT")]
pub(crate) struct VerityVerify {
    #[command(flatten)]
    pub(crate) params: Preset,
    /// Where the tree is, from byte 0 on; behind the data if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) hash: Option<PathBuf>,
    /// How many data blocks there are; without it all of DATA is data, or with the tree behind
    /// the data what the filesystem in DATA says.
    #[arg(long, value_name = "N")]
    pub(crate) data_blocks: Option<u64>,
    /// Byte offset of the hash area, where it is not right behind the data.
    #[arg(long, value_name = "N")]
    pub(crate) hash_offset: Option<u64>,
    /// The sealed file.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
    /// The root hash, 64 hex digits.
    #[arg(value_name = "ROOT")]
    pub(crate) root: erofs_tarfs::verity::Digest,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs check image.erofs                        # structure, checksum; tars, if they are found
  tarfs check --against base.tar app.tar image.disk")]
pub(crate) struct Check {
    /// Layers that the image must be the merge of, lowest first; any LAYER of merge.
    #[arg(long, value_name = "TAR", num_args = 1..)]
    pub(crate) against: Vec<PathBuf>,
    /// Where the tars of bootstraps are; beside each if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) tars: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// A bootstrap or a disk; may be the last of --against's arguments.
    #[arg(value_name = "IMAGE", required_unless_present = "against")]
    pub(crate) image: Option<PathBuf>,
}

#[derive(Debug, Group)]
pub(crate) struct Ls {
    /// Mode, links, owner, size, time and target as well.
    #[arg(short)]
    pub(crate) long: bool,
    /// An image, or any LAYER of merge.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
    /// A path in it.
    #[arg(value_name = "PATH", default_value = "/")]
    pub(crate) path: std::ffi::OsString,
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
pub(crate) struct Inspect {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// A bootstrap or a disk.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs mount-args image.erofs                   # over its tars, in device-table order
  tarfs mount-args --root $ROOT image.disk       # through dm-verity, tree behind the data
  tarfs mount-args --root $ROOT --hash image.verity image.disk")]
pub(crate) struct MountArgs {
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
