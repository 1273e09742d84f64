//! Finds a name in a directory while a tree grows.
//!
//! An open-addressed table of hashes. A name's *window* is the [`REACH`] slots from the one that
//! its hash points at. A name goes to the first free slot of its window; where there is none, it
//! goes to a sorted map. So names that collide on purpose cost `log n` each, not `n`, without a
//! secret seed: a tree never depends on chance.
//!
//! What makes a search right: **the window of every name in the map is full.** It is full when the
//! name goes there, a slot is never emptied, and when the table grows every name, those of the map
//! too, is placed anew. So a search that meets a free slot has seen all that could be there.

#![expect(
    clippy::indexing_slicing,
    reason = "slots are looked for by `window`, whose numbers are below their count"
)]

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

/// Slots that a probe looks at. At half load, honest names need fewer.
const REACH: usize = 64;
/// Slots of the smallest table.
const SMALLEST: usize = 64;

/// How names are hashed: a test has a hash that collides.
pub(super) trait Hash {
    fn hash(parent: u32, name: &[u8]) -> u32;
}

/// The hash that trees use.
#[derive(Clone)]
pub(super) struct Mixed;

#[derive(Clone)]
pub(super) struct Index<H = Mixed> {
    /// A power of two long, or empty.
    slots: Vec<Slot>,
    used: usize,
    /// Names for which there was no free slot in their window, by directory.
    overflow: BTreeMap<u32, BTreeMap<Box<[u8]>, u32>>,
    hash: PhantomData<H>,
}

/// A hash, and the position of the link plus one: 0 where the slot is free.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    entry: u32,
}

const FREE: Slot = Slot { hash: 0, entry: 0 };

impl Slot {
    fn of(hash: u32, link: u32) -> Self {
        Self { hash, entry: link.wrapping_add(1) }
    }

    /// Of one that is not free.
    fn link(self) -> u32 {
        self.entry.wrapping_sub(1)
    }
}

/// Where a name that is not there would go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vacancy {
    hash: u32,
    /// The first free slot of its window.
    slot: Option<usize>,
}

impl<H> Default for Index<H> {
    fn default() -> Self {
        Self { slots: Vec::new(), used: 0, overflow: BTreeMap::new(), hash: PhantomData }
    }
}

impl<H> fmt::Debug for Index<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("used", &self.used).finish_non_exhaustive()
    }
}

impl<H: Hash> Index<H> {
    /// The link with this name, or the place where it can be put. `is_it` says whether a candidate
    /// is the one.
    pub(super) fn find(
        &self,
        parent: u32,
        name: &[u8],
        mut is_it: impl FnMut(u32) -> bool,
    ) -> Result<u32, Vacancy> {
        let hash = H::hash(parent, name);
        if self.slots.is_empty() {
            return Err(Vacancy { hash, slot: None });
        }
        for at in self.window(hash) {
            let slot = self.slots[at];
            if slot.entry == 0 {
                // The name is nowhere: it would have been put into this free slot, not into the
                // map.
                return Err(Vacancy { hash, slot: Some(at) });
            }
            if slot.hash == hash && is_it(slot.link()) {
                return Ok(slot.link());
            }
        }
        let found = self.overflow.get(&parent).and_then(|names| names.get(name));
        found.copied().ok_or(Vacancy { hash, slot: None })
    }

    /// Adds the link whose name was just not found; `name_of` tells the directory and name of any.
    pub(super) fn insert<'n>(
        &mut self,
        vacancy: Vacancy,
        link: u32,
        name_of: impl Fn(u32) -> (u32, &'n [u8]),
    ) {
        match vacancy.slot {
            Some(at) if self.has_room(1) => {
                self.slots[at] = Slot::of(vacancy.hash, link);
                self.used = self.used.saturating_add(1);
            }
            _ => self.extend(link..link.saturating_add(1), name_of),
        }
    }

    /// Adds links whose names are not there yet.
    pub(super) fn extend<'n>(
        &mut self,
        links: Range<u32>,
        name_of: impl Fn(u32) -> (u32, &'n [u8]),
    ) {
        if !self.has_room(links.len()) {
            // Long enough for these, and twice as long as before at least: so growing costs little.
            let len = links.len().saturating_mul(2).saturating_add(self.used).next_power_of_two();
            self.grow(len.max(self.slots.len().saturating_mul(2)).max(SMALLEST), &name_of);
        }
        for link in links {
            let (parent, name) = name_of(link);
            self.place(H::hash(parent, name), link, &name_of);
        }
    }

    /// Whether half of the slots are free still when so many names more are there.
    fn has_room(&self, more: usize) -> bool {
        self.used.saturating_add(more).saturating_mul(2) <= self.slots.len()
    }

    /// More slots, a power of two, and every name placed anew, those of the map too: one that
    /// stayed there would be missed, as its new window has free slots.
    fn grow<'n>(&mut self, len: usize, name_of: &impl Fn(u32) -> (u32, &'n [u8])) {
        let slots = core::mem::replace(&mut self.slots, vec![FREE; len]);
        let overflow = core::mem::take(&mut self.overflow);
        self.used = 0;
        for slot in slots.into_iter().filter(|slot| slot.entry != 0) {
            self.place(slot.hash, slot.link(), name_of);
        }
        for (parent, names) in overflow {
            for (name, link) in names {
                self.place(H::hash(parent, &name), link, name_of);
            }
        }
    }

    /// Puts a link into the first free slot of its window, or into the map if that is full.
    fn place<'n>(&mut self, hash: u32, link: u32, name_of: &impl Fn(u32) -> (u32, &'n [u8])) {
        match self.window(hash).find(|at| self.slots[*at].entry == 0) {
            Some(at) => {
                self.slots[at] = Slot::of(hash, link);
                self.used = self.used.saturating_add(1);
            }
            None => {
                let (parent, name) = name_of(link);
                self.overflow.entry(parent).or_default().insert(Box::from(name), link);
            }
        }
    }

    /// The slots that a name with this hash may have, in the order in which they are filled.
    fn window(&self, hash: u32) -> impl Iterator<Item = usize> + use<H> {
        let mask = self.slots.len().wrapping_sub(1);
        (0..REACH).map(move |step| (hash as usize).wrapping_add(step) & mask)
    }
}

impl Hash for Mixed {
    fn hash(parent: u32, name: &[u8]) -> u32 {
        const K: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut state = u64::from(parent).wrapping_mul(K) ^ name.len() as u64;
        let mut mix = |word: u64| {
            let wide = u128::from(state ^ word).wrapping_mul(u128::from(K));
            state = (wide as u64) ^ (wide >> 64) as u64 ^ state.rotate_left(23);
        };
        let (words, rest) = name.as_chunks();
        for word in words {
            mix(u64::from_le_bytes(*word));
        }
        let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        mix(last);
        mix(0);
        (state ^ state >> 32) as u32
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
