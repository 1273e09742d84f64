//! How a disk comes out: as a file of its own, or over the tars, alone or in partitions.

use clap::{Args as Group, ValueEnum};
use erofs_tarfs::export::Form;
use erofs_tarfs::outputs::Volume;

/// The shape of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiskForm {
    /// A file with all bytes in it, shared with the tars where the filesystem can.
    Raw,
    /// A VMDK descriptor over the tars as they lie, for QEMU and other virtual machines.
    Vmdk,
    /// A shell script that makes a device-mapper device over the tars as they lie.
    DmLinear,
}

/// Which types the partitions of a disk get, by which others find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PartitionTypes {
    /// Linux filesystem data, the hash tree of each behind its data.
    Linux,
    /// A root partition, and its hash tree in another, as systemd finds them.
    Dps,
    /// The same of a /usr partition.
    DpsUsr,
}

impl PartitionTypes {
    /// The volume that systemd is to find, if the types are for that.
    pub(crate) fn volume(self) -> Option<Volume> {
        match self {
            Self::Linux => None,
            Self::Dps => Some(Volume::Root),
            Self::DpsUsr => Some(Volume::Usr),
        }
    }
}

#[derive(Debug, Group)]
pub(crate) struct DiskForms {
    /// How disks come out.
    #[arg(long, value_name = "F", default_value = "raw")]
    pub(crate) form: DiskForm,
    /// Put the disks into one, in layer order, a GPT partition each: of a plain type, or one image as
    /// the Discoverable Partitions Specification has it.
    #[arg(long, value_name = "TYPES", num_args = 0..=1, require_equals = true,
          default_missing_value = "linux")]
    pub(crate) gpt: Option<PartitionTypes>,
}

impl DiskForms {
    /// Whether each disk is a file of its own, and nothing else.
    pub(crate) fn are_plain(&self) -> bool {
        self.form == DiskForm::Raw && self.gpt.is_none()
    }

    /// The form.
    pub(crate) fn form(&self) -> Form {
        self.form.into()
    }

    /// The volume that systemd is to find, if one is wanted.
    pub(crate) fn volume(&self) -> Option<Volume> {
        self.gpt.and_then(PartitionTypes::volume)
    }
}

impl From<DiskForm> for Form {
    fn from(form: DiskForm) -> Self {
        match form {
            DiskForm::Raw => Self::Raw,
            DiskForm::Vmdk => Self::Vmdk,
            DiskForm::DmLinear => Self::DmLinear,
        }
    }
}
