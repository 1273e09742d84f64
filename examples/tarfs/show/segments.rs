//! What lies where in the file of an image.

use erofs_tarfs::format::{DeviceSlot, SUPERBLOCK_OFFSET, Superblock};
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::{Geometry, Superblock as VeritySuperblock};
use serde::Serialize;

/// A part of the file.
#[derive(Debug, Serialize)]
pub(crate) struct Segment {
    /// In bytes.
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) kind: Kind,
    pub(crate) what: String,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Boot area, superblock and device table.
    Head,
    /// Inodes, directories, file data of the image's own.
    Metadata,
    /// A device, as it came.
    Tar,
    /// Zeros up to where the next part may begin.
    Gap,
    HashSuperblock,
    HashLevel,
    /// Behind the filesystem, and no hash tree of these parameters.
    Unknown,
}

/// The parts of a file of `len` bytes with an image, first to last, without a gap between them. `bytes`
/// are the filesystem's, zeros for what is in devices; `tree` is what lies behind it.
pub(crate) fn segments(
    image: &Image<'_>,
    bytes: &[u8],
    len: u64,
    tree: Option<&Geometry>,
) -> Vec<Segment> {
    let block = image.block_size().bytes().into();
    let mut parts = Parts { bytes, block, segments: Vec::new(), at: 0 };
    parts.until(head(image).min(len), Kind::Head, "superblock, device table");
    for (offset, end, what) in tars(image, len) {
        parts.metadata(offset.min(len));
        parts.until(end.min(len), Kind::Tar, &what);
    }
    parts.metadata(image.end(len).min(len));
    if let Some(tree) = tree {
        parts.tree(tree);
    }
    parts.until(len, Kind::Unknown, "behind the filesystem: a hash tree, or anything");
    parts.segments
}

/// Where superblock and device table end.
fn head(image: &Image<'_>) -> u64 {
    let slot = size_of::<DeviceSlot>() as u64;
    let superblock = SUPERBLOCK_OFFSET + size_of::<Superblock>() as u64;
    let table = u64::from(image.superblock().devt_slotoff.get()) * slot;
    match image.devices().len() as u64 {
        0 => superblock,
        slots => superblock.max(table + slots * slot),
    }
}

/// First byte, end and name of each device that is in the file.
fn tars(image: &Image<'_>, len: u64) -> Vec<(u64, u64, String)> {
    if !image.holds_devices(len) {
        return Vec::new();
    }
    let block = u64::from(image.block_size().bytes());
    let devices = image.devices().into_iter().enumerate();
    let tars = devices.filter(|(_, device)| device.blocks > 0).map(|(index, device)| {
        let first = device.uniaddr.saturating_mul(block);
        let end = first.saturating_add(device.blocks.saturating_mul(block));
        (first, end, device_name(index, &device.tag))
    });
    let mut tars: Vec<_> = tars.collect();
    tars.sort();
    tars
}

/// What a device is called.
pub(crate) fn device_name(index: usize, tag: &[u8]) -> String {
    let tag = String::from_utf8_lossy(tag);
    format!("device {} {tag}", index + 1).trim_end().to_owned()
}

struct Parts<'a> {
    bytes: &'a [u8],
    block: u64,
    segments: Vec<Segment>,
    /// Where the last one ends.
    at: u64,
}

impl Parts<'_> {
    /// Adds a part from the last one to `end`, if that is behind it.
    fn until(&mut self, end: u64, kind: Kind, what: &str) {
        if self.at < end {
            let (offset, bytes) = (self.at, end - self.at);
            self.segments.push(Segment { offset, bytes, kind, what: what.to_owned() });
            self.at = end;
        }
    }

    /// Metadata up to its last block that is not all zero, and zeros.
    fn metadata(&mut self, end: u64) {
        let part = self.bytes.get(self.at as usize..end.max(self.at) as usize).unwrap_or_default();
        let used = part.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
        let used = (self.at + used).next_multiple_of(self.block).min(end);
        if part.iter().any(|byte| *byte != 0) {
            self.until(used, Kind::Metadata, "metadata");
        }
        self.until(end, Kind::Gap, "zeros");
    }

    /// A hash tree, its root first.
    fn tree(&mut self, tree: &Geometry) {
        let hash_block = u64::from(tree.hash_block().bytes());
        self.until(tree.hash_offset(), Kind::Gap, "zeros");
        if tree.superblock_offset().is_some() {
            let end = tree.hash_offset() + VeritySuperblock::LEN as u64;
            self.until(end, Kind::HashSuperblock, "dm-verity superblock");
            self.until(tree.tree_offset(), Kind::Gap, "zeros");
        }
        for (number, level) in tree.levels().iter().enumerate().rev() {
            let blocks = level.blocks;
            let s = if blocks == 1 { "" } else { "s" };
            let what = format!("hash level {number}: {blocks} block{s} of {hash_block}");
            self.until(level.offset + blocks * hash_block, Kind::HashLevel, &what);
        }
    }
}
