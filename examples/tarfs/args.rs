//! The command line.

mod check;
mod help;
mod rules;
mod verity;

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use erofs_tarfs::export;

pub(crate) use self::check::Check;
use self::help::{EXAMPLES, EXPORT_HELP, LAYER, LAYERS};
pub(crate) use self::rules::{Inputs, Rules, Where};
pub(crate) use self::verity::{Hashing, Preset, Sealing, Verity, VerityFormat, VerityVerify};
use crate::form::Forms;
use crate::sizes;

/// Container layers as EROFS filesystems over the tars as they lie, sealed with dm-verity.
#[derive(Debug, Parser)]
#[command(name = "tarfs", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

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
    ///
    /// A tar that has the name of its digest is taken as it is: to see whether it has that digest
    /// all of it would be read, as `tarfs check` does.
    Cat(PathIn),
    /// Show the superblock, devices and segments of an image.
    Inspect(Inspect),
    /// Print the commands that mount an image.
    ///
    /// The tars of a bootstrap are looked for, but not read: `tarfs check` does that.
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
    /// What comes first in a disk [default: metadata-first].
    #[arg(long, value_name = "P")]
    pub(crate) placement: Option<Placement>,
    /// In a disk, metadata first: each tar starts at a multiple of this [default: 4096]. Nydus uses
    /// 512KiB.
    #[arg(long, value_name = "N", value_parser = sizes::bytes)]
    pub(crate) align: Option<u64>,
    /// UUID of the filesystem, or blob:DIGEST for the one that containerd gives the layer with that
    /// digest (as blob:sha256:…); one that follows from its content if not given.
    #[arg(long, value_name = "UUID", value_parser = sizes::uuid)]
    pub(crate) uuid: Option<erofs_tarfs::verity::Uuid>,
    /// Write whiteouts as files named .wh.NAME, as Nydus does, instead of in overlayfs form.
    #[arg(long)]
    pub(crate) aufs_whiteouts: bool,
    /// Refer to all bodies by chunk indexes, 32 bytes a file: bootstraps do so anyway, except with
    /// --compact.
    #[arg(long, conflicts_with = "plain_bodies")]
    pub(crate) chunk_indexes: bool,
    /// In a bootstrap, 32 bytes a file less, but only kernels read it right: erofs-utils and
    /// go-erofs show other bytes without an error. Disks are of this form, for every reader.
    #[arg(long)]
    pub(crate) plain_bodies: bool,
    /// Times in short inodes, half the size, and plain bodies: only kernels from Linux 6.15 on read
    /// it right.
    #[arg(long)]
    pub(crate) compact: bool,
    /// A checksum in the superblock also where blocks are below 2048 bytes: libblkid 2.41 and 2.42,
    /// so `mount` without -t and udev, do not recognise such an image.
    #[arg(long)]
    pub(crate) checksum: bool,
}

#[derive(Debug, Group)]
#[command(after_help = LAYER)]
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
    /// Print one JSON object about the output.
    #[arg(long)]
    pub(crate) json: bool,
    /// A tar (.tar, .tar.gz, .tar.zst, told by its first bytes), or - for standard input.
    #[arg(value_name = "INPUT|-")]
    pub(crate) input: PathBuf,
}

#[derive(Debug, Group)]
pub(crate) struct Merge {
    /// Output.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Make a disk, tars included, instead of a bootstrap.
    #[arg(long)]
    pub(crate) disk: bool,
    /// A device for each layer, in their order: also for one that is there twice, or that has no
    /// file data, for who mounts with a device= of each. Else a device for each tar that is needed.
    #[arg(long, conflicts_with = "disk")]
    pub(crate) device_per_layer: bool,
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
    pub(crate) sealing: Sealing,
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
    #[command(flatten)]
    pub(crate) at: Where,
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
    pub(crate) file: PathIn,
}

#[derive(Debug, Group)]
pub(crate) struct PathIn {
    #[command(flatten)]
    pub(crate) at: Where,
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
    #[arg(long, value_name = "DIR", conflicts_with = "root")]
    pub(crate) tars: Option<PathBuf>,
    /// Root hash of a sealed disk: 64 hex digits.
    #[arg(long, value_name = "ROOT")]
    pub(crate) root: Option<erofs_tarfs::verity::Digest>,
    /// Where the hash tree is; behind the data if not given.
    #[arg(long, value_name = "FILE", requires = "root")]
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
