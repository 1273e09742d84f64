//! `tarfs inspect`.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::read::Image;
use erofs_tarfs::verity::Uuid;
use serde::Serialize;

use crate::args;
use crate::fail::{Done, Fail};
use crate::input::{self, Kind};
use crate::load;
use crate::report::{self, Device};

/// An image. Sizes and offsets are in bytes, unless they are called blocks.
#[derive(Debug, Serialize)]
struct Report {
    path: String,
    size: u64,
    block_size: u32,
    /// All blocks of the address space, devices in the file included.
    blocks: u64,
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

/// A part of the file.
#[derive(Debug, Serialize)]
struct Segment {
    offset: u64,
    bytes: u64,
    what: String,
}

/// Opens an image, its metadata read.
pub(crate) fn open(path: &Path) -> Done<Vec<u8>> {
    let (file, kind) = input::open(path)?;
    match kind {
        Kind::Erofs => load::metadata(&file),
        _ => Err(Fail::of(path, "is not an EROFS image (no superblock at offset 1024)")),
    }
}

pub(crate) fn run(args: &args::Inspect) -> Done {
    let bytes = open(&args.image)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(&args.image, error))?;
    let report = report(&args.image, &image, bytes.len() as u64);
    let mut out = io::stdout().lock();
    match args.json {
        true => report::line(&mut out, &report),
        false => report.write(&mut out).map_err(Fail::stdout),
    }
}

fn report(path: &Path, image: &Image<'_>, len: u64) -> Report {
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
    Report {
        path: path.display().to_string(),
        size: len,
        block_size: image.block_size().bytes(),
        blocks: image.end(len) / block,
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
        segments: segments(image, inside, len),
    }
}

/// What lies where in the file.
fn segments(image: &Image<'_>, inside: bool, len: u64) -> Vec<Segment> {
    let block = u64::from(image.block_size().bytes());
    let mut tars: Vec<_> = (image.devices().into_iter().enumerate())
        .filter(|(_, device)| inside && device.blocks > 0)
        .map(|(index, device)| {
            let tag = String::from_utf8_lossy(&device.tag).into_owned();
            (device.uniaddr * block, device.blocks * block, format!("device {} {tag}", index + 1))
        })
        .collect();
    tars.sort();
    let end = image.end(len).min(len);
    let mut segments = Vec::new();
    let mut at = 0;
    let mut push = |at: &mut u64, until: u64, what: String| {
        if *at < until {
            segments.push(Segment { offset: *at, bytes: until - *at, what });
            *at = until;
        }
    };
    for (offset, bytes, what) in tars {
        push(&mut at, offset.min(len), "metadata and padding".to_owned());
        push(&mut at, (offset + bytes).min(len), what);
    }
    push(&mut at, end, "metadata and padding".to_owned());
    push(&mut at, len, "behind the filesystem: a hash tree, or anything".to_owned());
    segments
}

impl Report {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}: {} bytes", self.path, self.size)?;
        writeln!(out, "blocks:     {} of {} bytes", self.blocks, self.block_size)?;
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
            let index = index + 1;
            writeln!(
                out,
                "device {index}: {blocks} blocks at {uniaddr}, base offset {base_offset}, tag {tag}"
            )?;
        }
        for Segment { offset, bytes, what } in &self.segments {
            writeln!(out, "segment:    {offset:>12} + {bytes:>12}  {what}")?;
        }
        Ok(())
    }
}
