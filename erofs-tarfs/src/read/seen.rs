//! Which inodes of an image were met.

use crate::tree::InodeId;
use alloc::collections::BTreeMap;

/// How many neighbouring nids are kept together.
const PAGE: u64 = 32;

/// The nids that were met, and the inode that each became.
///
/// Inodes lie close together, and those of a directory come one after the other. So nids are kept by the page:
/// the tree of pages is small, and most questions are about the page of the question before.
#[derive(Default)]
pub(super) struct Seen {
    pages: BTreeMap<u64, [Option<InodeId>; PAGE as usize]>,
}

impl Seen {
    /// What a nid became; `None` of one that was not met yet, to be filled in.
    pub(super) fn at(&mut self, nid: u64) -> &mut Option<InodeId> {
        let page = self.pages.entry(nid / PAGE).or_default();
        #[expect(
            clippy::indexing_slicing,
            reason = "what is left by PAGE is below PAGE, its length"
        )]
        &mut page[(nid % PAGE) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_a_map() {
        let mut state = 1_u64;
        for bits in [3, 6, 10, 63] {
            let mut seen = Seen::default();
            let mut map = BTreeMap::new();
            for id in 0..2_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Climbs, and jumps back now and then.
                let nid = id / 4 + (state >> (64 - bits));
                let known = map.get(&nid).copied();
                assert_eq!(*seen.at(nid), known, "nid {nid}");
                if known.is_none() {
                    *seen.at(nid) = Some(InodeId(id as u32));
                    map.insert(nid, InodeId(id as u32));
                }
            }
            assert!(map.len() > 400, "{bits} bits: {}", map.len());
        }
    }
}
