//! Where each inode lies in the inode area.

use super::Error;
use super::node::Shape;
use super::scene::Scene;
use crate::format::SLOT_SIZE;
use crate::tree::InodeId;
use alloc::vec;
use alloc::vec::Vec;

/// How many inodes wait for a block that holds their tail.
const WAITING: usize = 16;

/// The inode area.
#[derive(Debug)]
pub(super) struct Area {
    /// Byte offset of each item's inode from the start of the area, in slots.
    pub(super) slots: Vec<u32>,
    /// The end in bytes from the start of the area.
    pub(super) bytes: u64,
    /// Blocks in the block area.
    pub(super) blocks: u64,
    /// Bytes of chunk tables.
    pub(super) tables: u64,
}

/// What matters for the place of an item.
#[derive(Clone, Copy, Debug)]
struct Need {
    item: u32,
    together: bool,
    lead: u64,
    tail: u64,
    bytes: u64,
}

impl Need {
    fn new(item: u32, shape: &Shape, block: u64) -> Self {
        let together = shape.together;
        let (lead, tail, bytes) = (shape.lead(), shape.tail(block), shape.bytes(block));
        Self { item, together, lead, tail, bytes }
    }

    fn fits(&self, at: u64, block: u64) -> bool {
        self.tail == 0
            || if self.together {
                at % block + self.lead + self.tail <= block
            } else {
                (at + self.lead) % block + self.tail <= block
            }
    }

    /// The first slot from `at` on where it fits.
    fn next_fit(&self, at: u64, block: u64) -> u64 {
        if self.fits(at, block) {
            at
        } else if self.together {
            at.next_multiple_of(block)
        } else {
            at + (block - (at + self.lead) % block).next_multiple_of(SLOT_SIZE)
        }
    }
}

struct Placer<'a> {
    block: u64,
    start: u64,
    at: u64,
    order: &'a mut [u32],
    placed: usize,
    slots: Vec<u32>,
}

impl Placer<'_> {
    fn place(&mut self, need: &Need) -> Result<(), Error> {
        self.at = need.next_fit(self.at, self.block);
        let slot = (self.at - self.start) / SLOT_SIZE;
        let Ok(short) = u32::try_from(slot) else {
            let limit = u32::MAX.into();
            return Err(Error::TooLarge { what: "inode slots", value: slot, limit });
        };
        self.slots[need.item as usize] = short;
        self.order[self.placed] = need.item;
        self.placed += 1;
        self.at = (self.at + need.bytes).next_multiple_of(SLOT_SIZE);
        Ok(())
    }

    /// Places those waiting that fit without a gap.
    fn place_fitting(&mut self, waiting: &mut Vec<Need>) -> Result<(), Error> {
        while let Some(k) = waiting.iter().position(|need| need.fits(self.at, self.block)) {
            self.place(&waiting.remove(k))?;
        }
        Ok(())
    }
}

/// Places all items of `order` from byte `start` (a multiple of the block size, or what the nids
/// count from) plus `skip` on, the root first, and sorts `order` by place.
///
/// Inodes whose tail does not fit the rest of a block wait until others have filled it.
pub(super) fn place(
    scene: &Scene<'_>,
    order: &mut [u32],
    start: u64,
    skip: u64,
    table_limit: u64,
) -> Result<Area, Error> {
    let block = u64::from(scene.block.bytes());
    let slots = vec![0; scene.item_count()];
    let mut placer = Placer { block, start, at: start + skip, order, placed: 0, slots };
    let mut waiting: Vec<Need> = Vec::with_capacity(WAITING);
    let (mut blocks, mut tables) = (0u64, 0u64);
    for next in 0..placer.order.len() {
        let item = placer.order[next];
        let shape = scene.shape(item)?;
        blocks += shape.blocks;
        if let super::Data::Chunks(chunks) = shape.data {
            tables = tables.saturating_add(chunks.count.saturating_mul(8));
            if tables > table_limit {
                let (path, limit) = (scene.path(item), table_limit);
                return Err(Error::ChunkTableTooLarge { path, bytes: tables, limit });
            }
        }
        let need = Need::new(item, &shape, block);
        placer.place_fitting(&mut waiting)?;
        if item == InodeId::ROOT.0 || need.fits(placer.at, block) {
            placer.place(&need)?;
            continue;
        }
        if waiting.len() == WAITING {
            placer.place(&waiting.remove(0))?;
        }
        waiting.push(need);
    }
    while !waiting.is_empty() {
        placer.place(&waiting.remove(0))?;
        placer.place_fitting(&mut waiting)?;
    }
    Ok(Area { bytes: placer.at - start, slots: placer.slots, blocks, tables })
}
