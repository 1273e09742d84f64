//! Where each inode lies in the inode area.

use super::Error;
use super::node::Shape;
use super::scene::Scene;
use crate::format::SLOT_SIZE;
use crate::limits::Limit;
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

/// What decides where an item can be placed.
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

    /// Places those of the waiting items that fit right here, without a gap.
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
    free_tables: u64,
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
            tables = tables.saturating_add(chunks.bytes());
            let within = scene.limits.check(Limit::TableBytes, tables.saturating_sub(free_tables));
            within.map_err(|over| Error::Limit { path: Some(scene.path(item)), over })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn need(together: bool, lead: u64, tail: u64) -> Need {
        Need { item: 0, together, lead, tail, bytes: lead + tail }
    }

    /// Where an inode comes to lie that may be put at `at` or later, in blocks of 512 bytes.
    #[test]
    fn a_tail_lies_in_one_block() {
        let rows = [
            // Without a tail anywhere, also across the border of a block.
            (need(false, 64, 0), 480, 480),
            (need(true, 64, 0), 480, 480),
            // The tail ends with the block, or a byte behind it.
            (need(false, 32, 160), 320, 320),
            (need(false, 32, 161), 320, 480),
            // The inode may end a block where the tail begins the next: not if both must be
            // together.
            (need(false, 32, 512), 480, 480),
            (need(false, 64, 448), 448, 448),
            (need(true, 32, 480), 480, 512),
            (need(true, 32, 480), 512, 512),
            (need(true, 64, 448), 32, 512),
            (need(true, 32, 448), 32, 32),
            (need(true, 32, 449), 32, 512),
            // Attributes that end within a slot: the slot that lets the tail begin early enough.
            (need(false, 32 + 20, 492), 0, 480),
            (need(false, 32 + 20, 480), 32, 480),
            (need(false, 32 + 1000, 100), 0, 0),
            (need(false, 32 + 900, 100), 0, 96),
        ];
        for (need, at, place) in rows {
            assert_eq!(need.next_fit(at, 512), place, "{need:?} from {at}");
            assert_eq!(need.fits(at, 512), place == at, "{need:?} at {at}");
            assert!(need.fits(place, 512), "{need:?} at {place}");
        }
    }

    #[test]
    fn those_that_wait_fill_what_others_leave() {
        let mut order = [0; 3];
        let mut placer = Placer {
            block: 512,
            start: 0,
            at: 416,
            order: &mut order,
            placed: 0,
            slots: vec![9; 3],
        };
        let mut waiting =
            vec![Need { item: 1, ..need(true, 32, 100) }, Need { item: 2, ..need(true, 32, 64) }];
        placer.place_fitting(&mut waiting).unwrap();
        // 96 bytes are left: the second fills them, and then the first begins a block.
        assert!(waiting.is_empty());
        assert_eq!(placer.slots, [9, 512 / 32, 416 / 32]);
        assert_eq!(placer.order, [2, 1, 0]);
        assert_eq!(placer.at, 512 + 160);
    }

    #[test]
    fn slots_have_32_bits() {
        let mut order = [0];
        let at = (1 << 32) * SLOT_SIZE;
        let mut placer =
            Placer { block: 512, start: 0, at, order: &mut order, placed: 0, slots: vec![0] };
        let error = placer.place(&need(false, 32, 0)).unwrap_err();
        let limit = u32::MAX.into();
        assert_eq!(error, Error::TooLarge { what: "inode slots", value: 1 << 32, limit });
        placer.at = at - SLOT_SIZE;
        assert_eq!(placer.place(&need(false, 32, 0)), Ok(()));
    }
}
