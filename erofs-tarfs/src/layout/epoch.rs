//! The time that compact inodes share or count from.

use crate::tree::{InodeId, Tree};
use crate::units::Timestamp;
use alloc::vec::Vec;
use core::cmp::Reverse;

const COUNTERS: usize = 8;
/// The most seconds behind the epoch that a compact inode tells.
const REACH: u64 = u32::MAX as u64;

/// What compact inodes tell of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    /// What the superblock has. All compact inodes have its nanoseconds.
    pub(crate) base: Timestamp,
    /// Whether each compact inode has seconds of its own, which are added to those of `base`.
    pub(crate) own: bool,
}

impl Epoch {
    /// The epoch with which many inodes of a tree can be compact: those that have this very time,
    /// or with `own` those that are at most 2^32 - 1 seconds behind it.
    pub(super) fn of(tree: &Tree, own: bool) -> Self {
        let times = || (0..tree.inode_count()).map(|id| tree.attributes(InodeId(id as u32)).mtime);
        if !own {
            return Self { base: most_common(times), own };
        }
        let nanos = most_common(|| times().map(|time| time.nanos));
        let secs = || times().filter(move |time| time.nanos == nanos).map(|time| time.secs);
        Self { base: Timestamp { secs: window(secs), nanos }, own }
    }

    /// The seconds to store in a compact inode; `None` if such an inode cannot express this time.
    pub(crate) fn seconds(&self, time: Timestamp) -> Option<u32> {
        let behind = time.secs.checked_sub(self.base.secs)?;
        let seconds = u32::try_from(behind).ok().filter(|_| time.nanos == self.base.nanos)?;
        (self.own || seconds == 0).then_some(seconds)
    }
}

/// The most common value, the smallest of equals: found for sure where it is more than one in
/// nine, else a common one.
fn most_common<T: Copy + Default + Ord, I: Iterator<Item = T>>(values: impl Fn() -> I) -> T {
    // The algorithm of Misra and Gries: with 8 counters, each value that makes up more than a ninth
    // is among the candidates in the end. How often each comes is counted in a second pass.
    let mut candidates = [(T::default(), 0u32); COUNTERS];
    for value in values() {
        if let Some(found) = candidates.iter_mut().find(|c| c.1 != 0 && c.0 == value) {
            found.1 += 1;
        } else if let Some(free) = candidates.iter_mut().find(|c| c.1 == 0) {
            *free = (value, 1);
        } else {
            candidates.iter_mut().for_each(|c| c.1 -= 1);
        }
    }

    candidates.iter_mut().for_each(|c| c.1 = 0);
    for value in values() {
        if let Some(found) = candidates.iter_mut().find(|c| c.0 == value) {
            found.1 += 1;
        }
    }
    candidates.sort_unstable_by_key(|c| (Reverse(c.1), c.0));
    candidates[0].0
}

/// The second from which on [`REACH`] covers the most of `times`, the smallest of equals that is
/// one of them; 0 of none.
fn window<I: Iterator<Item = i64>>(times: impl Fn() -> I) -> i64 {
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return 0 };
    if first.abs_diff(last) <= REACH {
        return first;
    }
    let mut sorted: Vec<i64> = times().collect();
    sorted.sort_unstable();
    let (mut best, mut end) = ((0, first), 0);
    for (start, first) in sorted.iter().enumerate() {
        end += sorted[end..].iter().take_while(|time| first.abs_diff(**time) <= REACH).count();
        if end - start > best.0 {
            best = (end - start, *first);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Timestamp = Timestamp { secs: 1000, nanos: 7 };

    fn at(secs: i64, nanos: u32) -> Timestamp {
        Timestamp { secs, nanos }
    }

    #[test]
    fn a_compact_inode_tells_what_it_can_and_nothing_else() {
        let rows = [
            (at(1000, 7), Some(0), Some(0)),
            (at(1001, 7), None, Some(1)),
            (at(1000 + i64::from(u32::MAX), 7), None, Some(u32::MAX)),
            (at(1001 + i64::from(u32::MAX), 7), None, None),
            (at(999, 7), None, None),
            (at(1000, 8), None, None),
            (at(1001, 0), None, None),
            (at(i64::MIN, 7), None, None),
            (at(i64::MAX, 7), None, None),
        ];
        for (time, shared, own) in rows {
            assert_eq!(Epoch { base: WHOLE, own: false }.seconds(time), shared, "{time:?}");
            assert_eq!(Epoch { base: WHOLE, own: true }.seconds(time), own, "{time:?}");
        }
        // The span of all times is more than 63 bits.
        let far = Epoch { base: at(i64::MAX, 0), own: true };
        assert_eq!(far.seconds(at(i64::MIN, 0)), None);
    }

    #[test]
    fn the_window_covers_the_most_and_ties_go_to_the_past() {
        let reach = REACH as i64;
        let rows: [(&[i64], i64); 9] = [
            (&[], 0),
            (&[5], 5),
            (&[9, 5, 7], 5),
            (&[0, reach], 0),
            (&[0, reach + 1], 0),
            (&[0, reach + 1, reach + 1], reach + 1),
            (&[i64::MIN, 3, 4, i64::MAX, 5], 3),
            (&[reach + 9, -1, 0, 8, reach + 8, reach + 7], -1),
            (&[reach + 9, -1, 0, 8, reach + 8, reach + 7, reach + 6], 8),
        ];
        for (times, first) in rows {
            assert_eq!(window(|| times.iter().copied()), first, "{times:?}");
        }
    }

    #[test]
    fn what_is_more_than_one_in_nine_is_found_among_all_different_ones() {
        // 12 of 100 are 5, at the end; all others differ.
        let values = || (100..188).chain(core::iter::repeat_n(5, 12));
        assert_eq!(most_common(values), 5);
        assert_eq!(most_common(|| [3, 2, 3, 2].into_iter()), 2);
        assert_eq!(most_common(core::iter::empty::<u8>), 0);
    }
}
