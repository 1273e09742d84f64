//! A file of an image as JSON, for `ls` and `stat`.

use erofs_tarfs::tree::{Content, InodeId, Place, Tree};
use serde::Serialize;

use crate::cli::numbers;
use crate::show::mode;

/// All that is known of a file. Bytes of names that are no UTF-8 are replaced, as JSON has none.
#[derive(Debug, Serialize)]
pub(crate) struct FileJson {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    /// Octal digits, as chmod(1) takes them.
    mode: String,
    permissions: String,
    uid: u32,
    gid: u32,
    /// Seconds since 1970, and nanoseconds.
    mtime: (i64, u32),
    links: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Major and minor number.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<(u32, u32)>,
    implied: bool,
    opaque: bool,
    xattrs: Vec<Xattr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extents: Option<Vec<Extent>>,
}

/// An attribute: its value as text if it is some, and as hex digits in any case.
#[derive(Debug, Serialize)]
struct Xattr {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    hex: String,
}

/// A run of a file's bytes; of those that the metadata hold there is no device.
#[derive(Debug, Serialize)]
struct Extent {
    offset: u64,
    bytes: u64,
    /// From 1 on, as `inspect` counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<usize>,
    /// A byte of that device's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_offset: Option<u64>,
}

impl FileJson {
    /// A file, with the places of its bytes if they are asked for.
    pub(crate) fn new(tree: &Tree, id: InodeId, path: &[u8], extents: bool) -> Self {
        let attributes = tree.attributes(id);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (mut size, mut target, mut device) = (None, None, None);
        match tree.content(id) {
            Content::Regular { size: bytes, .. } => size = Some(bytes),
            Content::Target(to) => target = Some(text(to)),
            Content::Device(number) => device = Some((number.major, number.minor)),
            Content::Directory | Content::Nothing => {}
        }
        let xattrs = tree.xattrs(id).map(|(name, value)| Xattr {
            name: text(name),
            text: str::from_utf8(value).ok().map(str::to_owned),
            hex: numbers::to_hex(value),
        });
        let file = tree.file(id).filter(|_| extents);
        Self {
            path: text(path),
            kind: tree.kind(id).to_string(),
            mode: format!("{:04o}", attributes.mode),
            permissions: mode::mode(tree.kind(id), attributes.mode),
            uid: attributes.uid,
            gid: attributes.gid,
            mtime: (attributes.mtime.secs, attributes.mtime.nanos),
            links: tree.nlink(id),
            size,
            target,
            device,
            implied: tree.is_implied(id),
            opaque: tree.is_opaque(id),
            xattrs: xattrs.collect(),
            extents: file
                .map(|file| file.extents().iter().map(|part| extent(tree, part)).collect()),
        }
    }
}

fn extent(tree: &Tree, part: &erofs_tarfs::tree::Extent) -> Extent {
    let (device, device_offset) = match part.place {
        Place::Device { device, offset } => {
            let index = usize::from(device);
            let base = tree.devices().get(index).map_or(0, |found| found.base_offset);
            (Some(index + 1), Some(base + offset))
        }
        Place::Carried(_) => (None, None),
    };
    Extent { offset: part.logical, bytes: part.len, device, device_offset }
}
