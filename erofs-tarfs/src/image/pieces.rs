//! The bytes of a disk in ascending order, those of devices by reference.

use super::{DiskPlan, SegmentSource};
use crate::layout::Layout;

/// What comes next in a disk.
///
/// ```
/// use erofs_tarfs::image::Piece;
///
/// assert_eq!(Piece::Bytes(b"EROFS").len(), 5);
/// // 4096 bytes of the second device, which the caller reads, copies or maps.
/// assert_eq!(Piece::Device { index: 1, offset: 512, bytes: 4096 }.len(), 4096);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece<'a> {
    /// These bytes, of the metadata.
    Bytes(&'a [u8]),
    /// This many zeros; a hole will do.
    Zeros(u64),
    /// A part of a device's file, for the caller to read, copy or map.
    Device {
        /// Index in [`Layout::devices`].
        index: usize,
        /// Byte of the file.
        offset: u64,
        /// How many bytes.
        bytes: u64,
    },
}

impl Piece<'_> {
    /// How many bytes of the disk it is.
    pub const fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(bytes) | Self::Device { bytes, .. } => *bytes,
        }
    }

    /// Whether it has no bytes. No piece that [`pieces`] hands out is empty.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Hands out all of a disk, front to back and without gaps, with the byte that each piece starts
/// at. The sink's error ends it.
///
/// ```
/// use erofs_tarfs::image::{self, Piece};
/// use erofs_tarfs::{layout, tree::Builder};
///
/// let tree = Builder::new().finish().unwrap();
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default()).unwrap();
/// let (plan, mut disk) = (image::disk(&layout), Vec::new());
/// image::pieces(&plan, &layout, &mut |offset, piece: Piece<'_>| {
///     assert_eq!(offset, disk.len() as u64);
///     match piece {
///         Piece::Bytes(bytes) => disk.extend_from_slice(bytes),
///         piece => disk.resize(disk.len() + piece.len() as usize, 0),
///     }
///     Ok::<(), ()>(())
/// })
/// .unwrap();
/// assert_eq!(disk.len() as u64, plan.bytes);
/// ```
///
/// # Errors
/// Those of `sink`, and no other.
pub fn pieces<E>(
    plan: &DiskPlan,
    layout: &Layout<'_>,
    sink: &mut impl FnMut(u64, Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for segment in &plan.segments {
        let mut at = segment.offset;
        match segment.source {
            SegmentSource::Head => {
                let head = super::head(layout);
                sink(at, Piece::Bytes(&head))?;
                at += head.len() as u64;
            }
            SegmentSource::Body => super::body(layout, &mut |bytes: &[u8]| {
                sink(at, Piece::Bytes(bytes))?;
                at += bytes.len() as u64;
                Ok(())
            })?,
            SegmentSource::Device { index, offset } => {
                sink(at, Piece::Device { index, offset, bytes: segment.bytes })?;
                at += segment.bytes;
            }
            SegmentSource::Carried(from) => {
                sink(at, Piece::Bytes(layout.scene.tree.carried(from, segment.bytes)))?;
                at += segment.bytes;
            }
            SegmentSource::Zeros => {}
        }
        // Where the source has fewer bytes than its segment, zeros fill it up.
        let left = segment.offset + segment.bytes - at;
        if left > 0 {
            sink(at, Piece::Zeros(left))?;
        }
    }
    Ok(())
}
