//! The device table, and where devices lie in a disk.

use super::Error;
use crate::tree::{Device, Origin, Tree};
use crate::units::BlockSize;
use alloc::vec::Vec;

/// Bytes of a tag in a device slot.
const MAX_TAG: usize = 64;
/// The most device slots.
const MAX_DEVICES: usize = u16::MAX as usize;
/// The most blocks of a device or of all together: block addresses have 32 bits, one means "hole".
pub(super) const MAX_BLOCKS: u64 = u32::MAX as u64 - 1;

/// A device of the image, in the order of the device table and of `device=` options.
///
/// ```
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = plan(&tree, &LayoutOptions::default())?;
/// let device = &layout.devices()[0];
/// assert_eq!((device.bytes, device.blocks), (2048, 4)); // blocks of 512 bytes
/// assert_eq!(device.uniaddr, 8); // the first block behind the bootstrap's 4096 bytes
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedDevice {
    /// Free text of at most 64 bytes, usually the hex digest of the blob.
    pub tag: Vec<u8>,
    /// Length in bytes of the part that the tree refers to, from `base_offset` on.
    pub bytes: u64,
    /// Length in blocks, in a bootstrap from byte 0 of the device's file on.
    pub blocks: u64,
    /// First block in the unified address space.
    pub uniaddr: u64,
    /// Byte offset in the source file from which `bytes` count.
    pub base_offset: u64,
    /// Byte offset in the disk; `None` in a bootstrap.
    pub disk_offset: Option<u64>,
    /// In a merged tree, which layer and which of its devices this is: by that its file is found,
    /// never by the tag.
    pub origin: Option<Origin>,
}

/// Checks the devices of a tree; `bases` says whether addresses count from byte 0 of their files.
pub(super) fn devices(
    tree: &Tree,
    block: BlockSize,
    bases: bool,
) -> Result<Vec<PlannedDevice>, Error> {
    let count = tree.devices().len();
    if count > MAX_DEVICES {
        let (value, limit) = (count as u64, MAX_DEVICES as u64);
        return Err(Error::TooLarge { what: "devices", value, limit });
    }
    let origins = tree.origins().iter().map(Some).chain(core::iter::repeat(None));
    let devices = tree.devices().iter().zip(origins);
    let planned = devices.map(|(device, origin)| planned(device, origin.copied(), block, bases));
    let mut planned: Vec<PlannedDevice> = planned.collect::<Result<_, _>>()?;
    if !tree.packing().is_empty() {
        // Their bodies were copied to the last device, so they have no bytes of their own in the
        // image.
        for device in planned.iter_mut().rev().skip(1) {
            (device.blocks, device.bytes) = (0, 0);
        }
    }
    Ok(planned)
}

fn planned(
    device: &Device,
    origin: Option<Origin>,
    block: BlockSize,
    bases: bool,
) -> Result<PlannedDevice, Error> {
    let Device { tag, bytes, base_offset, .. } = device.clone();
    if tag.len() > MAX_TAG {
        return Err(Error::Tag { tag, limit: MAX_TAG as u64 });
    }
    let mut end = bytes;
    if bases {
        if !block.divides(base_offset) {
            let (offset, block) = (base_offset, block.bytes());
            return Err(Error::BaseOffset { tag, offset, block });
        }
        end = bytes.saturating_add(base_offset);
    }
    let blocks = block.blocks(end);
    check_blocks("blocks of a device", blocks)?;
    Ok(PlannedDevice { tag, bytes, blocks, uniaddr: 0, base_offset, disk_offset: None, origin })
}

pub(super) fn check_blocks(what: &'static str, value: u64) -> Result<(), Error> {
    if value > MAX_BLOCKS {
        return Err(Error::TooLarge { what, value, limit: MAX_BLOCKS });
    }
    Ok(())
}

/// Puts each device at the next multiple of `align` bytes from `at` on; answers the end in bytes.
pub(super) fn string_up(
    devices: &mut [PlannedDevice],
    block: BlockSize,
    mut at: u64,
    align: u64,
    in_disk: bool,
) -> Result<u64, Error> {
    for device in devices {
        let too_far = || Error::TooLarge { what: "bytes", value: u64::MAX, limit: u64::MAX };
        let offset = at.checked_next_multiple_of(align).ok_or_else(too_far)?;
        device.uniaddr = offset >> block.bits();
        device.disk_offset = in_disk.then_some(offset);
        let end = device.uniaddr.saturating_add(device.blocks);
        check_blocks("blocks of all devices", end)?;
        at = end << block.bits();
    }
    Ok(at)
}
