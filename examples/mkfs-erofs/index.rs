//! `--tar=i`: all of the layer's disk but its last part, the tar. Whoever calls for it, as containerd
//! does, appends the tar, byte for byte, and mounts the file.
//!
//! ```text
//! ┌───────────────────────────┬──────────────────────────┐
//! │ superblock, inodes        │ the tar, as it came      │
//! │ what is written here      │ what the caller appends  │
//! └───────────────────────────┴──────────────────────────┘
//! 0                           the file's length: a multiple of 512
//! ```

use std::path::Path;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::layout::{self, Artifact, DiskOrder};
use erofs_tarfs::tree::Layer;

use crate::fail::{Done, Fail};
use crate::layer::{self, Made};
use crate::source::Tar;
use crate::wanted::Wanted;

/// What Linux reads at a time at least: a tar's last bytes that fill no sector can't be read.
const SECTOR: u64 = 512;

/// Writes the index of a tar.
pub(crate) fn write(tar: Tar, wanted: &Wanted, out: &NamedFile) -> Done<Made> {
    let order = DiskOrder::MetadataFirst { align: SECTOR };
    let options = wanted.layout.clone().artifact(Artifact::Disk(order));
    let name = match &tar {
        Tar::Stream(name, _) => name.clone(),
        Tar::File(file) => file.path().to_owned(),
    };
    let layer = layer::read(tar, wanted, None)?;
    refuse_odd_end(&name, &layer)?;
    let layout = layout::plan(&layer.tree, &options)?;
    tarfs_io::write_metadata(&layout, out)?;
    // Without any file data the tar has no place in the disk, and what is appended is not looked at.
    let tar_at = layout.devices().first().and_then(|device| device.disk_offset);
    out.set_bytes(tar_at.unwrap_or(layout.disk_bytes()))?;
    Ok(Made::of(&layout))
}

/// Refuses a tar with file data in its last bytes that fill no sector.
fn refuse_odd_end(name: &Path, layer: &Layer) -> Done {
    let bytes = layer.end.bytes;
    let data_end = layer.tree.data_ends().first().copied().unwrap_or(0);
    if data_end <= bytes / SECTOR * SECTOR {
        return Ok(());
    }
    let why =
        format!("has {bytes} bytes, no multiple of {SECTOR}, and a file ends in the last ones");
    Err(Fail::of(name, format_args!("{why}: Linux could not read them behind the index")))
}
