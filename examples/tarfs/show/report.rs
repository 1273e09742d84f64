//! What was made, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::io::{self as tarfs_io, ExportedDisk};
use erofs_tarfs::layout::{Layout, PlannedDevice};
use erofs_tarfs::units::BlockSize;
use serde::Serialize;

use crate::cli::fail::Done;
use crate::layers::noted::Noted;
use crate::show::hash_tree_report::HashTreeReport;
use crate::show::marked::Marked;
use crate::show::print;

/// An output. Sizes are in bytes, unless they are called blocks.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The file.
    pub(crate) path: String,
    /// Its length.
    pub(crate) size: u64,
    /// Block size of the filesystem.
    pub(crate) block_size: u32,
    /// Blocks of the filesystem, without a hash tree.
    pub(crate) blocks: u64,
    /// The device table, in the order of `device=` options.
    pub(crate) devices: Vec<Device>,
    /// The hash tree.
    pub(crate) verity: Option<HashTreeReport>,
    /// How it came out.
    #[serde(flatten)]
    pub(crate) made: HowMade,
    /// What of its layers was not taken as it stands.
    #[serde(flatten)]
    pub(crate) noted: Noted,
    /// What is asked for by `--print`.
    #[serde(flatten)]
    pub(crate) marked: Marked,
}

/// How a disk came out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct HowMade {
    /// The form, if it is not simply a file.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) form: &'static str,
    /// The files that it is made of, by the names that it has for them. The first has all that is in no
    /// tar.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<String>,
    /// How the bytes of the tars got into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copied: Option<Copied>,
}

/// Bytes of tars by how they were copied.
#[derive(Debug, Serialize)]
pub(crate) struct Copied {
    /// Shared with the tar: they take no room of their own.
    cloned: u64,
    in_kernel: u64,
    by_hand: u64,
    /// Unpacked there.
    in_place: u64,
}

/// A device.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    pub(crate) tag: String,
    pub(crate) blocks: u64,
    pub(crate) uniaddr: u64,
    /// Byte 0 of the tar: in the disk, or in the file that is the device of a bootstrap.
    pub(crate) base_offset: u64,
}

impl Report {
    /// A report on a file made of a layout, `bytes` of it the filesystem.
    pub(crate) fn new(path: &Path, size: u64, layout: &Layout<'_>, bytes: u64) -> Self {
        Self::with(path, size, layout.block_size(), bytes, layout.devices())
    }

    /// A report on an exported disk.
    pub(crate) fn of(path: &Path, disk: &ExportedDisk) -> Self {
        Self::with(path, disk.bytes, disk.block_size, disk.filesystem_bytes, &disk.devices)
    }

    fn with(
        path: &Path,
        size: u64,
        block_size: BlockSize,
        bytes: u64,
        devices: &[PlannedDevice],
    ) -> Self {
        let devices = devices.iter().map(|device| Device {
            tag: String::from_utf8_lossy(&device.tag).into_owned(),
            blocks: device.blocks,
            uniaddr: device.uniaddr,
            base_offset: device.disk_offset.unwrap_or(device.base_offset),
        });
        Self {
            path: path.display().to_string(),
            size,
            block_size: block_size.bytes(),
            blocks: block_size.blocks(bytes),
            devices: devices.collect(),
            verity: None,
            made: HowMade::default(),
            noted: Noted::default(),
            marked: Marked::default(),
        }
    }

    /// Prints it: one line of JSON, or lines for people.
    pub(crate) fn print(&self, json: bool) -> Done {
        print::made(print::stream(&self.path), self, json, |out| self.write(out))
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}: {} bytes", self.path, self.size)?;
        self.made.write(out)?;
        self.verity.iter().try_for_each(|verity| verity.write(out))?;
        self.marked.write(out)
    }
}

impl HowMade {
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        if !self.files.is_empty() {
            writeln!(out, "{} over {}", self.form, self.files.join(", "))?;
        }
        Ok(())
    }
}

impl From<tarfs_io::Copied> for Copied {
    fn from(copied: tarfs_io::Copied) -> Self {
        let tarfs_io::Copied { cloned, in_kernel, by_hand, in_place, .. } = copied;
        Self { cloned, in_kernel, by_hand, in_place }
    }
}
