//! How a disk comes out: arguments of `tarfs export`.

use clap::{Args as Group, ValueEnum};
use erofs_tarfs::export::Form;
use erofs_tarfs::outputs::Volume;

/// The shape of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormName {
    /// A file with all bytes in it, shared with the tars where the filesystem can.
    Raw,
    /// A VMDK descriptor over the tars as they lie, for QEMU and other virtual machines.
    Vmdk,
    /// A shell script that makes a device-mapper device over the tars as they lie.
    DmLinear,
}

/// What partitions are for those who find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Types {
    /// "Linux filesystem data", the hash tree of each behind its data.
    Linux,
    /// A root partition, and its hash tree in another, as systemd finds them.
    Dps,
    /// The same of a /usr partition.
    DpsUsr,
}

impl Types {
    /// What systemd finds.
    pub(crate) fn volume(self) -> Option<Volume> {
        match self {
            Self::Linux => None,
            Self::Dps => Some(Volume::Root),
            Self::DpsUsr => Some(Volume::Usr),
        }
    }
}

#[derive(Debug, Group)]
pub(crate) struct Forms {
    /// How disks come out.
    #[arg(long, value_name = "F", default_value = "raw")]
    pub(crate) form: FormName,
    /// Put the disks into one, in layer order, a GPT partition each: of a plain type, or one image as
    /// the Discoverable Partitions Specification has it.
    #[arg(long, value_name = "TYPES", num_args = 0..=1, require_equals = true,
          default_missing_value = "linux")]
    pub(crate) gpt: Option<Types>,
}

impl Forms {
    /// Whether each disk is a file of its own, and nothing else.
    pub(crate) fn are_plain(&self) -> bool {
        self.form == FormName::Raw && self.gpt.is_none()
    }

    /// The form.
    pub(crate) fn form(&self) -> Form {
        self.form.into()
    }

    /// What systemd is to find.
    pub(crate) fn volume(&self) -> Option<Volume> {
        self.gpt.and_then(Types::volume)
    }
}

impl From<FormName> for Form {
    fn from(form: FormName) -> Self {
        match form {
            FormName::Raw => Self::Raw,
            FormName::Vmdk => Self::Vmdk,
            FormName::DmLinear => Self::DmLinear,
        }
    }
}
