//! A disk as a list of segments: what lies where, and where it comes from.

use crate::layout::Layout;
use crate::tree::Place;
use alloc::vec::Vec;

/// A disk, front to back, without gaps.
///
/// ```
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let plan = image::disk(&layout);
/// let mut end = 0;
/// for segment in &plan.segments {
///     assert_eq!(segment.offset, end); // bytes of the disk
///     end += segment.bytes;
/// }
/// assert_eq!(end, plan.bytes);
/// # Ok::<(), layout::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskPlan {
    /// Ascending, each starting where the one before ends.
    pub segments: Vec<Segment>,
    /// Length of the disk in bytes: a whole number of blocks.
    pub bytes: u64,
}

/// A part of a disk.
///
/// ```
/// use erofs_tarfs::image::{self, SegmentSource};
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = plan(&tree, &LayoutOptions::disk())?;
/// let plan = image::disk(&layout);
/// let tar = plan.segments.last().expect("the data comes last here");
/// assert_eq!((tar.offset, tar.bytes), (4096, 2048)); // of the disk
/// assert_eq!(tar.source, SegmentSource::Device { index: 0, offset: 0 });
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Byte of the disk at which it starts.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Where its bytes come from.
    pub source: SegmentSource,
}

/// Where the bytes of a segment come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SegmentSource {
    /// [`head`](super::head()).
    Head,
    /// [`body`](super::body()).
    Body,
    /// A device's file.
    Device {
        /// Index in [`Layout::devices`].
        index: usize,
        /// Byte of the file at which the segment starts.
        offset: u64,
    },
    /// The tree itself, from this byte of its arena: a body that is copied to its place.
    Carried(u64),
    /// Zeros; a hole will do.
    Zeros,
}

/// The plan of a disk. For the layout of a bootstrap it is the plan of the file that one gets by
/// putting bootstrap and devices one behind the other: with the whole files of devices, what is
/// before their base offsets included.
///
/// ```
/// use erofs_tarfs::image::{self, SegmentSource};
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let (tree, options) = (layer_of(&[("etc/motd", "hello\n")]), LayoutOptions::disk());
/// let layout = plan(&tree, &options)?;
/// let sources: Vec<_> = image::disk(&layout).segments.iter().map(|part| part.source).collect();
/// let tar = SegmentSource::Device { index: 0, offset: 0 };
/// assert_eq!(sources, [SegmentSource::Head, SegmentSource::Body, tar]);
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
pub fn disk(layout: &Layout<'_>) -> DiskPlan {
    let mut plan = DiskPlan { segments: Vec::new(), bytes: 0 };
    let bits = layout.block_size().bits();
    plan.put(0, layout.head_bytes(), SegmentSource::Head);
    let body = (layout.body_offset(), layout.body_bytes());
    // In a packed tree only the last device, which holds the copies, has a place in the disk.
    let packed = !layout.scene.tree.packing().is_empty();
    let first = if packed { layout.devices().last() } else { layout.devices().first() };
    let first_device = first.map_or(u64::MAX, |device| device.uniaddr << bits);
    let body_first = body.0 < first_device;
    if body_first {
        plan.put(body.0, body.1, SegmentSource::Body);
    }
    for (index, device) in layout.devices().iter().enumerate() {
        if packed {
            if let Some(start) = device.disk_offset {
                plan.packed(layout, start);
            }
            continue;
        }
        let (offset, bytes) = match device.disk_offset {
            Some(_) => (device.base_offset, device.bytes),
            None => (0, device.base_offset + device.bytes),
        };
        plan.put(device.uniaddr << bits, bytes, SegmentSource::Device { index, offset });
    }
    if !body_first {
        plan.put(body.0, body.1, SegmentSource::Body);
    }
    plan.fill(layout.disk_bytes());
    plan
}

impl DiskPlan {
    fn put(&mut self, offset: u64, bytes: u64, source: SegmentSource) {
        self.fill(offset);
        if bytes > 0 {
            self.segments.push(Segment { offset, bytes, source });
            self.bytes = offset + bytes;
        }
    }

    /// A packed device, from byte `start` of the disk on.
    fn packed(&mut self, layout: &Layout<'_>, start: u64) {
        let tree = layout.scene.tree;
        for run in tree.packing() {
            let source = match run.place {
                Place::Device { device, offset } => {
                    let index = usize::from(device);
                    let base = layout.devices()[index].base_offset;
                    SegmentSource::Device { index, offset: base + offset }
                }
                Place::Carried(at) => SegmentSource::Carried(at),
            };
            self.put(start + run.offset, run.len, source);
        }
    }

    fn fill(&mut self, to: u64) {
        debug_assert!(self.bytes <= to);
        if self.bytes < to {
            let (offset, bytes) = (self.bytes, to - self.bytes);
            self.segments.push(Segment { offset, bytes, source: SegmentSource::Zeros });
            self.bytes = to;
        }
    }
}
