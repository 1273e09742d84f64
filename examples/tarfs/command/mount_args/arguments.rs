//! The command line of `tarfs mount-args`.

use std::path::PathBuf;

use clap::Args as Group;

use crate::mount::source::Source;

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs mount-args image.erofs                   # over its tars, in device-table order
  tarfs mount-args --root $ROOT image.disk       # through dm-verity, tree behind the data
  tarfs mount-args --root $ROOT --hash image.verity image.disk
  tarfs mount-args --root $ROOT --kata layer.erofs               # X-kata.dmverity.… options
  tarfs mount-args --device a.disk --device b.disk image.erofs   # merged over layers' disks")]
pub(crate) struct MountArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print the options by which Kata's agent mounts a sealed disk in a guest, instead of commands. It opens
    /// trees of 4096/4096 alone.
    #[arg(long, requires = "root", conflicts_with = "hash")]
    pub(crate) kata: bool,
    /// Print one line of JSON, with a list of the commands.
    #[arg(long)]
    pub(crate) json: bool,
    /// Where to mount.
    #[arg(long, value_name = "DIR", default_value = "/mnt")]
    pub(crate) mount_point: PathBuf,
}
