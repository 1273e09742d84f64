//! The command line of `tarfs mount-args`.

use std::path::PathBuf;

use clap::Args as Group;

use crate::cli::hash_tree_options::Preset;

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs mount-args image.erofs                   # over its tars, in device-table order
  tarfs mount-args --root $ROOT image.disk       # through dm-verity, tree behind the data
  tarfs mount-args --root $ROOT --hash image.verity image.disk
  tarfs mount-args --root $ROOT --kata layer.erofs               # X-kata.dmverity.… options
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
    /// Print the options by which Kata's agent mounts a sealed disk in a guest, instead of commands. It opens
    /// trees of 4096/4096 alone.
    #[arg(long, requires = "root", conflicts_with = "hash")]
    pub(crate) kata: bool,
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
