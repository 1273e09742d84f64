//! The options that say what is to be mounted.

use std::path::PathBuf;

use clap::Args as Group;
use erofs_tarfs::verity::TreeDigest;

use crate::cli::hash_tree_options::Preset;
use crate::cli::limits::LimitArgs;

#[derive(Debug, Group)]
pub(crate) struct Source {
    /// File of a device, in the order of the device table; of all devices or of none. Layers'
    /// disks must be named so: no tag says where in its file a device starts.
    #[arg(long = "device", value_name = "FILE", conflicts_with_all = ["tars", "root"])]
    pub(crate) devices: Vec<PathBuf>,
    /// Where the tars of a bootstrap are; beside it if not given.
    #[arg(long, value_name = "DIR", conflicts_with = "root")]
    pub(crate) tars: Option<PathBuf>,
    /// Root hash of a sealed disk: 64 hex digits.
    #[arg(long, value_name = "ROOT")]
    pub(crate) root: Option<TreeDigest>,
    /// Where the hash tree is; behind the data if not given.
    #[arg(long, value_name = "FILE", requires = "root")]
    pub(crate) hash: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) verity: Preset,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    /// A bootstrap or a disk.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
}
