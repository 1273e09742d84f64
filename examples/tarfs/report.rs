//! What was made, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::io::{self as tarfs_io, ExportedDisk};
use erofs_tarfs::layout::{Layout, PlannedDevice};
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::Sealed;
use serde::Serialize;

use crate::fail::{Done, Fail};
use crate::notes::Noted;
use crate::place;
use crate::sizes::to_hex;

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
    pub(crate) verity: Option<Verity>,
    /// How it came out.
    #[serde(flatten)]
    pub(crate) made: Form,
    /// What of its layers was not taken as it stands.
    #[serde(flatten)]
    pub(crate) noted: Noted,
}

/// How a disk came out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Form {
    /// What it is, if it is not simply a file.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) form: &'static str,
    /// The files that it is over, as they are called in it; the first has all that is in no tar.
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

/// A hash tree.
#[derive(Debug, Serialize)]
pub(crate) struct Verity {
    pub(crate) data_blocks: u64,
    pub(crate) data_block_size: u32,
    pub(crate) hash_block_size: u32,
    pub(crate) hash_offset: u64,
    pub(crate) root_hash: String,
    /// Hex digits, or `-`.
    pub(crate) salt: String,
    pub(crate) veritysetup: String,
    pub(crate) dm_table: String,
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
            made: Form::default(),
            noted: Noted::default(),
        }
    }

    /// Prints it: one line of JSON, or lines for people.
    pub(crate) fn print(&self, json: bool) -> Done {
        let mut out = stream(&self.path);
        if json {
            return line(&mut out, self);
        }
        self.write(&mut out).map_err(Fail::stdout)
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}: {} bytes", self.path, self.size)?;
        self.made.write(out)?;
        self.verity.as_ref().map_or(Ok(()), |verity| verity.write(out))
    }
}

impl Form {
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        if !self.files.is_empty() {
            writeln!(out, "{} over {}", self.form, self.files.join(", "))?;
        }
        Ok(())
    }
}

impl From<tarfs_io::Copied> for Copied {
    fn from(copied: tarfs_io::Copied) -> Self {
        let tarfs_io::Copied { cloned, in_kernel, by_hand, .. } = copied;
        Self { cloned, in_kernel, by_hand }
    }
}

impl Verity {
    /// What is known of sealed data, which is in the file `data`.
    pub(crate) fn new(sealed: &Sealed, data: &Path, hash: &Path) -> Self {
        let geometry = sealed.geometry();
        let salt = sealed.params().salt();
        let (data, hash) = (data.display().to_string(), hash.display().to_string());
        Self {
            data_blocks: geometry.data_blocks(),
            data_block_size: geometry.data_block().bytes(),
            hash_block_size: geometry.hash_block().bytes(),
            hash_offset: geometry.hash_offset(),
            root_hash: sealed.root().to_string(),
            salt: if salt.is_empty() { "-".to_owned() } else { to_hex(salt) },
            veritysetup: sealed.open_command(&data, &device_name(sealed), &hash).to_string(),
            dm_table: sealed.table_line(&data, &hash),
        }
    }

    /// Lines for people.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "root hash: {}", self.root_hash)?;
        let Self { data_blocks, data_block_size, hash_block_size, hash_offset, .. } = self;
        writeln!(
            out,
            "{data_blocks} data blocks of {data_block_size} bytes, hash blocks of {hash_block_size} at offset {hash_offset}"
        )?;
        writeln!(out, "{}", self.veritysetup)
    }
}

/// A name for the device mapper that follows from the data.
pub(crate) fn device_name(sealed: &Sealed) -> String {
    format!("tarfs-{}", &sealed.root().to_string()[..12])
}

/// Where the report on an output goes: to standard error, if the output itself is standard output.
pub(crate) fn stream(output: &str) -> Box<dyn Write> {
    match place::is_stdout(Path::new(output)) {
        true => Box::new(io::stderr()),
        false => Box::new(io::stdout().lock()),
    }
}

/// One line of JSON.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> Done {
    let text = serde_json::to_string(value).map_err(|error| Fail::Failed(error.to_string()))?;
    writeln!(out, "{text}").map_err(Fail::stdout)
}
