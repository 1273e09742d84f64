//! The time that compact inodes share.

use crate::tree::{InodeId, Tree};
use crate::units::Timestamp;

const COUNTERS: usize = 8;

/// The most common mtime of a tree, the smallest of equals: found for sure where more than one
/// inode in nine has it, else a common one.
pub(super) fn most_common(tree: &Tree) -> Timestamp {
    let times = || (0..tree.inode_count()).map(|id| tree.attributes(InodeId(id as u32)).mtime);

    // Misra-Gries: what is frequent enough is among the candidates.
    let mut candidates = [(Timestamp::default(), 0u32); COUNTERS];
    for time in times() {
        if let Some(found) = candidates.iter_mut().find(|c| c.1 != 0 && c.0 == time) {
            found.1 += 1;
        } else if let Some(free) = candidates.iter_mut().find(|c| c.1 == 0) {
            *free = (time, 1);
        } else {
            candidates.iter_mut().for_each(|c| c.1 -= 1);
        }
    }

    candidates.iter_mut().for_each(|c| c.1 = 0);
    for time in times() {
        if let Some(found) = candidates.iter_mut().find(|c| c.0 == time) {
            found.1 += 1;
        }
    }
    candidates.sort_unstable_by_key(|c| (core::cmp::Reverse(c.1), c.0));
    candidates[0].0
}
