//! Extended attributes that many inodes have: they are written once, and the inodes refer to them.

use crate::format::{XattrEntry, XattrPrefix};
use crate::tree::{Tree, XattrIter};
use alloc::vec::Vec;

/// The most that an inode can refer to: their count has 8 bits.
pub(super) const MAX_OF_INODE: usize = 255;
/// Bytes of a reference, and of what a shared attribute's address is counted in.
pub(super) const REFERENCE: u64 = 4;
/// A full name and its value.
pub(super) type Pair<'t> = (&'t [u8], &'t [u8]);

/// Bytes of the entry of an attribute, filled up to a multiple of 4.
pub(super) fn entry_bytes((name, value): Pair<'_>) -> u64 {
    let name = XattrPrefix::split(name).map_or(name.len(), |(_, rest)| rest.len());
    ((size_of::<XattrEntry>() + name + value.len()) as u64).next_multiple_of(4)
}

/// Stands for an attribute that is not shared.
const NONE: u32 = u32::MAX;

/// The shared attributes of an image.
#[derive(Debug, Default)]
pub(crate) struct Shared<'t> {
    /// In ascending order.
    pairs: Vec<Pair<'t>>,
    /// Of each, how many times 4 bytes behind the start of the area's first block it lies.
    ids: Vec<u32>,
    /// For each set of the tree where its attributes begin in `of_sets`.
    sets: Vec<usize>,
    /// For each attribute of each set its number in `pairs`.
    of_sets: Vec<u32>,
}

impl<'t> Shared<'t> {
    /// Those of a tree that were chosen, in ascending order.
    pub(super) fn new(pairs: Vec<Pair<'t>>, tree: &'t Tree) -> Self {
        let mut shared = Self { pairs, ..Self::default() };
        if shared.is_empty() {
            return shared;
        }
        for set in 0..tree.xattr_set_count() {
            shared.sets.push(shared.of_sets.len());
            for pair in XattrIter::over(tree.xattr_set(set)) {
                shared.of_sets.push(shared.find(pair).unwrap_or(NONE));
            }
        }
        shared
    }

    /// The number of a shared attribute.
    pub(super) fn find(&self, pair: Pair<'_>) -> Option<u32> {
        self.pairs.binary_search(&pair).ok().map(|at| at as u32)
    }

    /// For each attribute of a set, counted from 0, its number where it is shared.
    pub(super) fn of_set(&self, set: u32) -> OfSet<'_> {
        let start = self.sets.get(set as usize).copied().unwrap_or(self.of_sets.len());
        OfSet(self.of_sets[start..].iter())
    }

    /// Gives them their places: the area begins `first` bytes behind the start of a block. Answers how
    /// many bytes it takes.
    pub(super) fn place(&mut self, first: u64) -> u64 {
        let mut at = first;
        self.ids = Vec::with_capacity(self.pairs.len());
        for pair in &self.pairs {
            self.ids.push((at / REFERENCE) as u32);
            at += entry_bytes(*pair);
        }
        at - first
    }

    /// What an inode refers to one by.
    pub(crate) fn id(&self, number: u32) -> u32 {
        self.ids[number as usize]
    }

    /// All of them in the order of their places, with their ids.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (u32, Pair<'t>)> {
        self.ids.iter().copied().zip(self.pairs.iter().copied())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// The numbers of a set's attributes, from the first on.
#[derive(Clone, Debug, Default)]
pub(super) struct OfSet<'s>(core::slice::Iter<'s, u32>);

impl OfSet<'_> {
    /// Of the next attribute, if it is shared.
    pub(super) fn next(&mut self) -> Option<u32> {
        self.0.next().copied().filter(|number| *number != NONE)
    }
}
