//! Device slots, and whose blocks are whose.

use super::source::Bytes;
use super::{Error, Rule};
use crate::format::{
    DISK_MARK_MAGIC, DISK_MARK_OFFSET, DeviceSlot, DiskMark, Incompat, Superblock,
};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use zerocopy::FromBytes;

/// A device slot.
///
/// ```
/// use erofs_tarfs::{image, layout, read::Image};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let device = &Image::new(&bytes)?.devices()[0];
/// assert_eq!((device.blocks, device.uniaddr), (4, 8)); // blocks of 512 bytes
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceInfo {
    /// Free text, usually the hex digest of the blob.
    pub tag: Vec<u8>,
    /// Length in blocks.
    pub blocks: u64,
    /// First block in the unified address space; 0 for none.
    pub uniaddr: u64,
}

/// The slots of an image.
#[derive(Clone)]
pub(super) struct Devices<'a> {
    /// The table as it is stored.
    table: Cow<'a, [u8]>,
    /// Whether a disk mark told of the slots, and not the superblock: to kernels the image then is
    /// one device.
    pub(super) marked: bool,
    has_48bit: bool,
    /// Blocks of the unified address space (first, end, slot), ascending.
    ranges: Vec<(u64, u64, u16)>,
    /// A slot whose range overlaps that of another.
    overlap: Option<u16>,
}

impl<'a> Devices<'a> {
    pub(super) fn new(
        bytes: Bytes<'a>,
        superblock: &Superblock,
        mark: Option<&DiskMark>,
    ) -> Result<Self, Error> {
        let incompat = superblock.incompat();
        let table = incompat.contains(Incompat::DEVICE_TABLE);
        let mark = mark.filter(|_| !table);
        let (count, slotoff) = match mark {
            Some(mark) => (mark.devices.get(), mark.slotoff.get()),
            None if table => {
                (superblock.extra_devices.get().into(), superblock.devt_slotoff.get().into())
            }
            None => (0, 0),
        };
        let count = u16::try_from(count).map_err(|_| Error::DiskMark { devices: count })?;
        let slots = |count: u64| count.saturating_mul(size_of::<DeviceSlot>() as u64);
        let (at, len) = (slots(slotoff.into()), slots(count.into()));
        let table = match count {
            0 => Cow::Borrowed(&[][..]),
            _ => bytes.get(at, len)?.ok_or(Error::Short { needed: at.saturating_add(len) })?,
        };
        let has_48bit = incompat.contains(Incompat::BIT48);
        let marked = mark.is_some();
        let mut devices = Self { table, marked, has_48bit, ranges: Vec::new(), overlap: None };
        devices.ranges = (0..count)
            .map(|slot| {
                let (blocks, uniaddr) = devices.extent(slot);
                (uniaddr, uniaddr.saturating_add(blocks), slot)
            })
            .filter(|(first, end, _)| *first != 0 && first < end)
            .collect();
        devices.ranges.sort_unstable();
        devices.overlap = devices.ranges.windows(2).find_map(|pair| match *pair {
            [(_, end, _), (first, _, slot)] if end > first => Some(slot),
            _ => None,
        });
        Ok(devices)
    }

    pub(super) fn count(&self) -> u16 {
        self.slots().len() as u16
    }

    fn slots(&self) -> &[DeviceSlot] {
        // Slots have alignment 1, and the table is a whole number of them.
        <[DeviceSlot]>::ref_from_bytes(&self.table).unwrap_or(&[])
    }

    pub(super) fn tag(&self, slot: u16) -> &[u8] {
        self.slots().get(usize::from(slot)).map_or(&[], DeviceSlot::tag)
    }

    /// Length and first unified address of a slot, in blocks: zeros of one that is not there.
    pub(super) fn extent(&self, slot: u16) -> (u64, u64) {
        let Some(slot) = self.slots().get(usize::from(slot)) else { return (0, 0) };
        let hi = |word: u16| if self.has_48bit { u64::from(word) << 32 } else { 0 };
        (
            u64::from(slot.blocks_lo.get()) | hi(slot.blocks_hi.get()),
            u64::from(slot.uniaddr_lo.get()) | hi(slot.uniaddr_hi.get()),
        )
    }

    /// The slot whose range in the unified address space has `block`, and the block in it.
    pub(super) fn owner(&self, block: u64) -> Result<Option<(u16, u64)>, Error> {
        let at = self.ranges.partition_point(|(first, ..)| *first <= block);
        let Some(&(first, end, slot)) = at.checked_sub(1).and_then(|at| self.ranges.get(at)) else {
            return Ok(None);
        };
        if let Some(slot) = self.overlap {
            return Err(Error::Device { slot, rule: Rule::DisjointDevices });
        }
        Ok((block < end).then(|| (slot, block.saturating_sub(first))))
    }
}

/// The mark of a disk.
pub(super) fn mark(bytes: Bytes<'_>) -> Result<Option<DiskMark>, Error> {
    let raw = bytes.get(DISK_MARK_OFFSET, size_of::<DiskMark>() as u64)?;
    let mark = raw.and_then(|raw| DiskMark::read_from_bytes(&raw).ok());
    Ok(mark.filter(|mark| mark.magic == DISK_MARK_MAGIC))
}
