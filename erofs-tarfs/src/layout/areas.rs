//! The inodes, and behind them the extended attributes that they share.

use super::place::{Area, place};
use super::scene::Scene;
use super::{Error, order};
use alloc::vec::Vec;

/// Where both areas lie.
pub(super) struct Areas {
    /// Items by place.
    pub(super) order: Vec<u32>,
    /// For each inode the directory in which the walk from the root met it first.
    pub(super) parents: Vec<u32>,
    pub(super) inodes: Area,
    /// First byte of the shared attributes.
    pub(super) shared_area: u64,
    pub(super) shared_bytes: u64,
}

/// Places inodes from byte `base` plus `skip` on, and what they share. See [`place`].
pub(super) fn areas(
    scene: &mut Scene<'_>,
    base: u64,
    skip: u64,
    tables: u64,
) -> Result<Areas, Error> {
    let block = u64::from(scene.block.bytes());
    let shared = of(scene, base, skip, tables)?;
    if shared.shared_bytes == 0 || shared.inodes.bytes >= 2 * block {
        return Ok(shared);
    }
    // The inodes fill little more than a block. Then a block for the shared attributes may be more than they save.
    let kept = core::mem::take(&mut scene.shared);
    let alone = of(scene, base, skip, tables)?;
    if alone.end(block) <= shared.end(block) {
        return Ok(alone);
    }
    scene.shared = kept;
    Ok(shared)
}

fn of(scene: &mut Scene<'_>, base: u64, skip: u64, tables: u64) -> Result<Areas, Error> {
    let block = u64::from(scene.block.bytes());
    let (mut order, parents) = order::order(scene);
    let inodes = place(scene, &mut order, base, skip, tables)?;
    // Block 0 says to some readers that there are none (go-erofs 0.3.1, where it converts images).
    let end = base + inodes.bytes;
    let shared_area = if scene.shared.is_empty() { end } else { end.max(block) };
    let shared_bytes = scene.shared.place(shared_area % block);
    Ok(Areas { order, parents, inodes, shared_area, shared_bytes })
}

impl Areas {
    /// The end of both in blocks.
    fn end(&self, block: u64) -> u64 {
        (self.shared_area + self.shared_bytes).div_ceil(block)
    }
}
