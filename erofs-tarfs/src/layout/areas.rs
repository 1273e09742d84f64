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

/// Places inodes from byte `base` plus `skip` on, and what they share. So many bytes of chunk tables are not limited.
/// See [`place`].
pub(super) fn areas(
    scene: &mut Scene<'_>,
    base: u64,
    skip: u64,
    free_tables: u64,
) -> Result<Areas, Error> {
    let block = u64::from(scene.block.bytes());
    let shared = of(scene, base, skip, free_tables)?;
    if shared.shared_bytes == 0 || shared.inodes.bytes >= 2 * block && shared.inodes.blocks > 0 {
        return Ok(shared);
    }
    // The inodes fill little more than a block, or nothing is behind them. Then a block for the shared attributes
    // may be more than they save.
    let kept = core::mem::take(&mut scene.shared);
    let alone = of(scene, base, skip, free_tables)?;
    if alone.end(block) <= shared.end(block) {
        return Ok(alone);
    }
    scene.shared = kept;
    Ok(shared)
}

fn of(scene: &mut Scene<'_>, base: u64, skip: u64, free_tables: u64) -> Result<Areas, Error> {
    let block = u64::from(scene.block.bytes());
    let (mut order, parents) = order::order(scene);
    let inodes = place(scene, &mut order, base, skip, free_tables)?;
    // Block 0 says to some readers that there are none (go-erofs 0.3.1, where it converts images).
    let end = base + inodes.bytes;
    let shared_area = if scene.shared.is_empty() { end } else { end.max(block) };
    let shared_bytes = scene.shared.place(shared_area % block);
    Ok(Areas { order, parents, inodes, shared_area, shared_bytes })
}

impl Areas {
    /// The end of both, and of the block area behind them, in blocks.
    pub(super) fn end(&self, block: u64) -> u64 {
        let end = self.shared_area + self.shared_bytes;
        // From a shared attribute on go-erofs 0.3.1 reads a whole block, and fails where the file ends before.
        let needed = if self.shared_bytes > 0 { end + block } else { end };
        end.div_ceil(block).saturating_add(self.inodes.blocks).max(needed.div_ceil(block))
    }
}
