//! The bytes of regular files.

use super::body::{Body, Extent, Place};
use super::inode::{Content, InodeId};
use super::model::Tree;
use alloc::vec;
use alloc::vec::Vec;

/// A regular file of a tree, to be read at any offset.
///
/// # Examples
/// ```
/// use erofs_tarfs::tree::{LayerBuilder, LayerOptions};
///
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = tar_of(&[("motd", "hello\n")]);
/// let mut builder = LayerBuilder::new(LayerOptions::default());
/// builder.push(&tar)?;
/// let tree = builder.finish()?.tree;
///
/// let motd = tree.lookup(b"motd").and_then(|id| tree.file(id)).unwrap();
/// let mut read = |device: usize, offset: u64, buf: &mut [u8]| {
///     assert_eq!(device, 0);
///     buf.copy_from_slice(&tar[offset as usize..][..buf.len()]);
///     Ok::<(), std::io::Error>(())
/// };
/// let mut buf = [0; 100];
/// assert_eq!(motd.read_at(1, &mut buf, &mut read)?, 5);
/// assert_eq!(&buf[..5], b"ello\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct File<'t> {
    tree: &'t Tree,
    size: u64,
    extents: Extents<'t>,
}

/// Most files are one extent, which a tree does not keep as such.
#[derive(Clone, Debug)]
enum Extents<'t> {
    One(Extent),
    Many(&'t [Extent]),
}

impl Tree {
    /// A regular file; `None` of all else.
    pub fn file(&self, id: InodeId) -> Option<File<'_>> {
        let Content::Regular { size, body } = self.content(id) else { return None };
        let extents = match body {
            Body::Contiguous(_) if size == 0 => Extents::Many(&[]),
            Body::Contiguous(place) => Extents::One(Extent { logical: 0, len: size, place }),
            Body::Extents(extents) => Extents::Many(extents),
        };
        Some(File { tree: self, size, extents })
    }

    /// Where the last byte of file data ends in each device, in bytes (base offset not counted): 0 in one
    /// without any. A device's file must be at least as long.
    ///
    /// ```
    /// use erofs_tarfs::tree::{LayerBuilder, LayerOptions};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    ///
    /// let mut builder = LayerBuilder::new(LayerOptions::default());
    /// builder.push(&tar_of(&[("motd", "hello\n")]))?;
    /// assert_eq!(builder.finish()?.tree.data_ends(), [512 + 6]); // behind the header of the only entry
    /// # Ok::<(), erofs_tarfs::tree::Error>(())
    /// ```
    pub fn data_ends(&self) -> Vec<u64> {
        let mut ends = vec![0_u64; self.devices().len()];
        let ids = (0..self.inodes.len()).map(|index| InodeId(index as u32));
        for file in ids.filter_map(|id| self.file(id)) {
            for extent in file.extents() {
                if let Place::Device { device, offset } = extent.place {
                    let Some(end) = ends.get_mut(usize::from(device)) else { continue };
                    *end = offset.saturating_add(extent.len).max(*end);
                }
            }
        }
        ends
    }
}

impl File<'_> {
    /// Its length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where its bytes are: ascending, disjoint, none empty. What lies between is zeros.
    pub fn extents(&self) -> &[Extent] {
        match &self.extents {
            Extents::One(extent) => core::slice::from_ref(extent),
            Extents::Many(extents) => extents,
        }
    }

    /// Fills `buf` with its bytes from `offset` on; answers how many they are, which is less than all
    /// only at its end.
    ///
    /// `read` fills a buffer with bytes of the file of the device at an index, from a byte of that
    /// *file* on: the device's [base offset](super::Device::base_offset) is added already.
    ///
    /// # Errors
    /// What `read` gives.
    pub fn read_at<E>(
        &self,
        offset: u64,
        buf: &mut [u8],
        read: &mut impl FnMut(usize, u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let end = offset.saturating_add(buf.len() as u64).min(self.size);
        // No more than the buffer has.
        let bytes = buf.len().min(end.saturating_sub(offset) as usize);
        let (buf, _) = buf.split_at_mut(bytes);
        buf.fill(0);
        let extents = self.extents();
        let end_of = |extent: &Extent| extent.logical.saturating_add(extent.len);
        let first = extents.partition_point(|extent| end_of(extent) <= offset);
        let (_, extents) = extents.split_at(first);
        for extent in extents.iter().take_while(|extent| extent.logical < end) {
            let from = extent.logical.max(offset);
            let until = end_of(extent).min(end);
            // Within the buffer, as `from` and `until` are from `offset` to `end`.
            let (_, part) = buf.split_at_mut(from.saturating_sub(offset) as usize);
            let (part, _) = part.split_at_mut(until.saturating_sub(from) as usize);
            let skip = from.saturating_sub(extent.logical);
            match extent.place {
                Place::Carried(at) => {
                    part.copy_from_slice(
                        self.tree.carried(at.saturating_add(skip), part.len() as u64),
                    );
                }
                Place::Device { device, offset: at } => {
                    let index = usize::from(device);
                    let base = self.tree.devices().get(index).map_or(0, |d| d.base_offset);
                    read(index, base.saturating_add(at).saturating_add(skip), part)?;
                }
            }
        }
        Ok(bytes)
    }
}
