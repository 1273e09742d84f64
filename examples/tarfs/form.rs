//! How a disk comes out: arguments of `tarfs export`.

use clap::{Args as Group, ValueEnum};

/// The shape of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A file with all bytes in it, shared with the tars where the filesystem can.
    Raw,
    /// A VMDK descriptor over the tars as they lie, for QEMU and other virtual machines.
    Vmdk,
    /// A shell script that makes a device-mapper device over the tars as they lie.
    DmLinear,
}

#[derive(Debug, Group)]
pub(crate) struct Forms {
    /// How disks come out.
    #[arg(long, value_name = "F", default_value = "raw")]
    pub(crate) form: Form,
    /// Put the disks into one, in layer order, a GPT partition each.
    #[arg(long)]
    pub(crate) gpt: bool,
}

impl Forms {
    /// Whether each disk is a file of its own, and nothing else.
    pub(crate) fn are_plain(&self) -> bool {
        self.form == Form::Raw && !self.gpt
    }
}

impl Form {
    /// What names of files end with.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Raw => "disk",
            Self::Vmdk => "vmdk",
            Self::DmLinear => "sh",
        }
    }
}

impl From<Form> for &'static str {
    fn from(form: Form) -> Self {
        match form {
            Form::Raw => "raw",
            Form::Vmdk => "vmdk",
            Form::DmLinear => "dm-linear",
        }
    }
}
