//! Where blocks lie: in the image, or in which of its devices.

use super::{DeviceInfo, Error, Image, StoredPlace};
use crate::format::Compat;
use alloc::vec::Vec;

impl Image<'_> {
    /// Whether a file of `len` bytes that is this image has its devices inside, at the addresses
    /// of their slots: a disk, or an index with its tar behind it. Then it is mounted as it is.
    pub fn holds_devices(&self, len: u64) -> bool {
        if self.devices.marked {
            // One that was cut short is a disk all the same: see `disk_bytes`.
            return true;
        }
        let block = self.block_size();
        let inside = |device: &DeviceInfo| {
            let end = device.uniaddr.saturating_add(device.blocks);
            let end = end.saturating_mul(block.bytes().into());
            let len = len.checked_next_multiple_of(block.bytes().into());
            device.blocks == 0 || device.uniaddr != 0 && end <= len.unwrap_or(u64::MAX)
        };
        self.devices().iter().all(inside)
    }

    /// The end in bytes of the filesystem in its file of `len` bytes, devices in it included:
    /// where padding and a hash tree may follow.
    pub fn end(&self, len: u64) -> u64 {
        let block = u64::from(self.block_size().bytes());
        let inside = self.holds_devices(len);
        let devices = self.devices().into_iter().filter(|_| inside);
        let ends = devices.map(|device| device.uniaddr.saturating_add(device.blocks));
        let end = ends.max().map(|blocks| blocks.saturating_mul(block));
        end.max(self.own_bytes()).unwrap_or(len)
    }

    /// Length in bytes of what is the image's own, without its devices, by its superblock. `None` if it
    /// does not say so: that of a bootstrap of Nydus counts the blocks of the devices alone.
    pub fn own_bytes(&self) -> Option<u64> {
        let superblock = self.superblock();
        let blocks = (!superblock.compat().contains(Compat::RAFS)).then(|| superblock.blocks());
        blocks.map(|blocks| blocks.saturating_mul(self.block_size().bytes().into()))
    }

    /// The device slots.
    pub fn devices(&self) -> Vec<DeviceInfo> {
        (0..self.devices.count())
            .map(|slot| {
                let (blocks, uniaddr) = self.devices.extent(slot);
                DeviceInfo { tag: self.devices.tag(slot).to_vec(), blocks, uniaddr }
            })
            .collect()
    }

    /// Where a block of the unified address space lies.
    pub(super) fn unified(&self, block: u64) -> Result<StoredPlace, Error> {
        Ok(match self.devices.owner(block)? {
            Some((slot, block)) => StoredPlace::Device { slot, offset: self.block_offset(block) },
            None => StoredPlace::Primary { offset: self.block_offset(block) },
        })
    }

    /// Where a block that a chunk index names lies; `None` if there is no such device.
    pub(super) fn addressed(
        &self,
        device_id: u16,
        block: u64,
    ) -> Result<Option<StoredPlace>, Error> {
        let count = if self.devices.marked { 0 } else { u32::from(self.devices.count()) };
        // Other bits than those of the count are not looked at; of no devices that is all of them.
        let bits = u32::MAX.checked_shr(count.leading_zeros()).unwrap_or(0);
        Ok(match (u32::from(device_id) & bits).checked_sub(1) {
            None => Some(self.unified(block)?),
            Some(slot) if slot < count => {
                Some(StoredPlace::Device { slot: slot as u16, offset: self.block_offset(block) })
            }
            Some(_) => None,
        })
    }
}
