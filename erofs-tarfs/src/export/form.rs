//! What a disk comes out as: its form, and its partitions.

use super::Product;
use crate::outputs::{Architecture, Volume};

/// What a disk comes out as.
///
/// ```
/// use erofs_tarfs::export::{Form, Product};
///
/// assert_eq!(Form::named("dm-linear"), Some(Form::DmLinear));
/// assert_eq!(Form::Vmdk.extension(Product::SealedDisk), "vmdk");
/// assert!(Form::Vmdk.is_over_files(), "the tars have to stay where they are");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A file with all bytes in it, shared with the tars where the filesystem can.
    #[default]
    Raw,
    /// A [VMDK descriptor](crate::outputs::vmdk) over the tars as they lie, for QEMU and other virtual
    /// machines.
    Vmdk,
    /// A [script](crate::outputs::dm_script) that makes a device-mapper device over the tars as they
    /// lie.
    DmLinear,
}

/// How disks are put into one disk, a GPT partition each, in the order of the layers.
///
/// ```
/// use erofs_tarfs::export::Partitioning;
/// use erofs_tarfs::outputs::{Architecture, Volume};
///
/// let x86 = Architecture::named("amd64").ok_or("not known")?;
/// let root = Partitioning::Volume(Volume::Root, x86);
/// assert_eq!(Partitioning::named("dps", Some(x86)), Some(root)); // the words of the tool's --gpt
/// assert_eq!(Partitioning::named("linux", None), Some(Partitioning::Data));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Partitioning {
    /// "Linux filesystem data", the hash tree of each behind its data.
    Data,
    /// One filesystem as the Discoverable Partitions Specification has it: a partition of the volume,
    /// and its hash tree in another. The tree has a superblock, as systemd wants it.
    Volume(Volume, Architecture),
}

impl Partitioning {
    /// The one that the tool's `--gpt` calls by this name: `linux`, or `dps` and `dps-usr` for a volume
    /// on this architecture.
    pub fn named(name: &str, architecture: Option<Architecture>) -> Option<Self> {
        match (name, architecture) {
            ("linux", _) => Some(Self::Data),
            ("dps", Some(architecture)) => Some(Self::Volume(Volume::Root, architecture)),
            ("dps-usr", Some(architecture)) => Some(Self::Volume(Volume::Usr, architecture)),
            _ => None,
        }
    }
}

impl Form {
    /// Its name, for example `dm-linear`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Vmdk => "vmdk",
            Self::DmLinear => "dm-linear",
        }
    }

    /// The form of a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Raw, Self::Vmdk, Self::DmLinear].into_iter().find(|form| form.name() == name)
    }

    /// What the name of a file with it ends with, behind the dot.
    pub const fn extension(self, product: Product) -> &'static str {
        match (product, self) {
            (Product::HashTree, _) => "verity",
            (_, Self::Raw) => "disk",
            (_, Self::Vmdk) => "vmdk",
            (_, Self::DmLinear) => "sh",
        }
    }

    /// Whether it is over files as they lie, so that those have to stay.
    pub const fn is_over_files(self) -> bool {
        !matches!(self, Self::Raw)
    }
}
