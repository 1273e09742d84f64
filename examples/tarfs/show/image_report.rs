//! What an image says of itself, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::read::Image;
use erofs_tarfs::verity::Uuid;
use serde::Serialize;

use crate::cli::quote::Names;
use crate::show::report::Device;
use crate::show::segments::Segment;

/// An image. Sizes and offsets are in bytes, unless they are called blocks.
#[derive(Debug, Serialize)]
pub(crate) struct ImageReport {
    path: String,
    size: u64,
    block_size: u32,
    /// All blocks of the address space, devices in the file included.
    blocks: u64,
    /// Length of the disk that it says it is, without a hash tree.
    disk_bytes: Option<u64>,
    checksum: Option<bool>,
    uuid: String,
    volume_name: String,
    inodes: u64,
    root_nid: u64,
    build_time: i64,
    feature_compat: String,
    feature_incompat: String,
    devices: Vec<Device>,
    segments: Vec<Segment>,
}

/// The report on an image, whose file has `len` bytes.
pub(crate) fn of(path: &Path, image: &Image<'_>, len: u64, segments: Vec<Segment>) -> ImageReport {
    let superblock = image.superblock();
    let inside = image.holds_devices(len);
    let block = u64::from(image.block_size().bytes());
    let devices = image.devices().into_iter().map(|device| Device {
        tag: String::from_utf8_lossy(&device.tag).into_owned(),
        blocks: device.blocks,
        uniaddr: device.uniaddr,
        base_offset: if inside { device.uniaddr * block } else { 0 },
    });
    let name = &superblock.volume_name;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let named = |names: Vec<String>| names.join(" ");
    ImageReport {
        path: path.display().to_string(),
        size: len,
        block_size: image.block_size().bytes(),
        blocks: image.end(len) / block,
        disk_bytes: image.disk_bytes(),
        checksum: image.checksum(),
        uuid: Uuid(superblock.uuid).to_string(),
        volume_name: String::from_utf8_lossy(name).into_owned(),
        inodes: superblock.inos.get(),
        root_nid: image.root(),
        build_time: superblock.epoch.get(),
        feature_compat: named(
            superblock.compat().iter_names().map(|(name, _)| name.to_lowercase()).collect(),
        ),
        feature_incompat: named(
            superblock.incompat().iter_names().map(|(name, _)| name.to_lowercase()).collect(),
        ),
        devices: devices.collect(),
        segments,
    }
}

impl ImageReport {
    /// Lines for people.
    pub(crate) fn write(&self, out: &mut impl Write, names: Names) -> io::Result<()> {
        writeln!(out, "{}: {} bytes", names.text(&self.path), self.size)?;
        writeln!(out, "blocks:     {} of {} bytes", self.blocks, self.block_size)?;
        match self.disk_bytes {
            Some(bytes) if bytes > self.size => {
                let missing = bytes - self.size;
                writeln!(out, "disk:       {bytes} bytes, cut short: {missing} are missing")?;
            }
            Some(bytes) => writeln!(out, "disk:       {bytes} bytes")?,
            None => {}
        }
        let checksum = match self.checksum {
            Some(true) => "right",
            Some(false) => "WRONG",
            None => "none",
        };
        writeln!(out, "checksum:   {checksum}")?;
        writeln!(out, "uuid:       {}", self.uuid)?;
        writeln!(out, "volume:     {:?}", self.volume_name)?;
        writeln!(out, "inodes:     {}, root {}", self.inodes, self.root_nid)?;
        writeln!(out, "build time: {}", self.build_time)?;
        writeln!(out, "compat:     {}", self.feature_compat)?;
        writeln!(out, "incompat:   {}", self.feature_incompat)?;
        for (index, device) in self.devices.iter().enumerate() {
            let Device { tag, blocks, uniaddr, base_offset } = device;
            let (index, tag) = (index + 1, names.text(tag));
            writeln!(
                out,
                "device {index}: {blocks} blocks at {uniaddr}, base offset {base_offset}, tag {tag}"
            )?;
        }
        for Segment { offset, bytes, what, .. } in &self.segments {
            let what = names.text(what);
            writeln!(out, "segment:    {offset:>12} + {bytes:>12}  {what}")?;
        }
        Ok(())
    }
}
