//! Finds a name in a directory while a tree grows.
//!
//! An open-addressed table of hashes. A probe is cut short after [`REACH`] slots; what finds no
//! place within goes into a sorted map. So names that collide on purpose cost `log n` each, not
//! `n`, without a secret seed: a tree never depends on chance.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// Slots that a probe looks at. At half load, honest names need fewer.
const REACH: usize = 64;

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Hash, and position in the links plus one; 0 for a free slot. A power of two long, or empty.
    slots: Vec<(u32, u32)>,
    used: usize,
    overflow: BTreeMap<(u32, Box<[u8]>), u32>,
}

/// Where a name that is not there would go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vacancy {
    hash: u32,
    /// A free slot within reach.
    slot: Option<usize>,
}

impl Index {
    /// The link with this name, or where it would go; `is_it` compares a candidate.
    pub(super) fn find(
        &self,
        parent: u32,
        name: &[u8],
        mut is_it: impl FnMut(u32) -> bool,
    ) -> Result<u32, Vacancy> {
        let hash = hash(parent, name);
        if self.slots.is_empty() {
            return Err(Vacancy { hash, slot: None });
        }
        for step in 0..REACH {
            let slot = self.slot(hash, step);
            let (found, link) = self.slots[slot];
            if link == 0 {
                return Err(Vacancy { hash, slot: Some(slot) });
            }
            if found == hash && is_it(link - 1) {
                return Ok(link - 1);
            }
        }
        let missing = Vacancy { hash, slot: None };
        if self.overflow.is_empty() {
            return Err(missing);
        }
        self.overflow.get(&(parent, Box::from(name))).copied().ok_or(missing)
    }

    /// Adds the link whose name was just not found; `name_of` tells the directory and name of any.
    pub(super) fn insert(
        &mut self,
        vacancy: Vacancy,
        link: u32,
        name_of: impl Fn(u32) -> (u32, Box<[u8]>),
    ) {
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow(self.slots.len() * 2, &name_of);
        } else if let Some(slot) = vacancy.slot {
            self.slots[slot] = (vacancy.hash, link + 1);
            self.used += 1;
            return;
        }
        if !self.place(vacancy.hash, link + 1) {
            self.overflow.insert(name_of(link), link);
        }
    }

    /// Adds links whose names are not there yet.
    pub(super) fn extend<'n>(
        &mut self,
        links: core::ops::Range<u32>,
        name_of: impl Fn(u32) -> (u32, &'n [u8]),
    ) {
        let owned = |link| {
            let (parent, name) = name_of(link);
            (parent, Box::from(name))
        };
        if (self.used + links.len()) * 2 > self.slots.len() {
            let len = (self.used + links.len() * 2).next_power_of_two();
            self.grow(len.max(self.slots.len() * 2), &owned);
        }
        for link in links {
            let (parent, name) = name_of(link);
            if !self.place(hash(parent, name), link + 1) {
                self.overflow.insert(owned(link), link);
            }
        }
    }

    fn slot(&self, hash: u32, step: usize) -> usize {
        (hash as usize + step) & (self.slots.len() - 1)
    }

    fn place(&mut self, hash: u32, entry: u32) -> bool {
        for step in 0..REACH {
            let at = self.slot(hash, step);
            if self.slots[at].1 == 0 {
                self.slots[at] = (hash, entry);
                self.used += 1;
                return true;
            }
        }
        false
    }

    /// More slots, a power of two. What finds none within reach goes into the map.
    fn grow(&mut self, len: usize, name_of: &impl Fn(u32) -> (u32, Box<[u8]>)) {
        let old = core::mem::replace(&mut self.slots, vec![(0, 0); len.max(64)]);
        self.used = 0;
        for (hash, entry) in old.into_iter().filter(|(_, entry)| *entry != 0) {
            if !self.place(hash, entry) {
                self.overflow.insert(name_of(entry - 1), entry - 1);
            }
        }
    }
}

fn hash(parent: u32, name: &[u8]) -> u32 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = u64::from(parent).wrapping_mul(K) ^ name.len() as u64;
    let mut mix = |word: u64| {
        let wide = u128::from(state ^ word) * u128::from(K);
        state = (wide as u64) ^ (wide >> 64) as u64 ^ state.rotate_left(23);
    };
    let mut words = name.chunks_exact(8);
    for word in &mut words {
        mix(u64::from_le_bytes([
            word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7],
        ]));
    }
    let last = words.remainder().iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(last);
    mix(0);
    (state ^ state >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_share_a_home_are_all_found() {
        // More names of one hash than a probe reaches: brute force over a few bits is not needed,
        // since one slot is enough to crowd a table that starts with 64.
        let names: Vec<Box<[u8]>> = (0..5000u32).map(|n| Box::from(&n.to_le_bytes()[..])).collect();
        let mut index = Index::default();
        for (at, name) in names.iter().enumerate() {
            // As if every hash were the same: fill the probe window of each by hand.
            let at = at as u32;
            if !index.slots.is_empty() && at % 2 == 1 {
                index.overflow.insert((7, name.clone()), at);
                continue;
            }
            let vacancy = index.find(7, name, |_| false).unwrap_err();
            index.insert(vacancy, at, |link| (7, names[link as usize].clone()));
        }
        for slot in &mut index.slots {
            if slot.1 == 0 {
                *slot = (0xdead, u32::MAX);
            }
        }
        for (at, name) in names.iter().enumerate() {
            let found = index
                .find(7, name, |link| names.get(link as usize).is_some_and(|other| other == name));
            assert_eq!(found.ok(), Some(at as u32));
        }
    }
}
