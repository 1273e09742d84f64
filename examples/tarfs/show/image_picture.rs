//! What `tarfs inspect --svg` draws of an image.

use std::path::Path;

use erofs_tarfs::read::Image;

use crate::show::picture::{Bar, Part};
use crate::show::segments::{self, Kind, Segment};
use crate::show::svg;

/// A bar of the file, and one of its devices if they are files of their own.
pub(crate) fn bars(path: &Path, image: &Image<'_>, len: u64, segments: &[Segment]) -> Vec<Bar> {
    let block = u64::from(image.block_size().bytes());
    let parts = segments.iter().map(|segment| Part {
        kind: segment.kind,
        offset: segment.offset,
        bytes: segment.bytes,
        what: segment.what.clone(),
    });
    let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
    let size = svg::thousands(len);
    let mut bars = vec![Bar {
        subtitle: format!("{size} bytes; {} inodes, blocks of {block}", image.superblock().inos),
        title: name.clone(),
        parts: parts.collect(),
        apart: false,
    }];
    if !image.holds_devices(len) {
        let parts = image.devices().into_iter().enumerate().map(|(index, device)| Part {
            kind: Kind::Tar,
            offset: device.uniaddr.saturating_mul(block),
            bytes: device.blocks.saturating_mul(block),
            what: segments::device_name(index, &device.tag),
        });
        let (title, subtitle) = (format!("devices of {name}"), "in the order of the table".into());
        bars.push(Bar { title, subtitle, parts: parts.collect(), apart: true });
    }
    bars
}
