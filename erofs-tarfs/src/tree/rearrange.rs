//! Items brought to other places, in place and without waiting for memory.
//!
//! Places that take each other's items form cycles, and a cycle could simply be followed: but where items come
//! from all over, each step of it waits for memory, a hundred times as long as a copy takes. So items are brought
//! to the right *run* of places first, which writes to few places at a time, each after the one before; then
//! to their places within a run, which fits in the cache.
//!
//! ```text
//!         run 0          run 1          run 2
//!      ┌──────────────┬──────────────┬──────────────┐
//!      │ 7 2 5 0      │ 11 1 4 9     │ 3 8 10 6     │   where each item belongs
//!      │ 0 1 2 3 in   │ 4 … 7 in     │ 8 … 11 in    │   after the first pass: each run has its own,
//!      │ any order    │ any order    │ any order    │   of which the second makes the order
//!      └──────────────┴──────────────┴──────────────┘
//! ```

#![expect(
    clippy::indexing_slicing,
    reason = "an order has each number below the count of the items once: places are such numbers, and runs parts of them"
)]

use alloc::vec;
use alloc::vec::Vec;

/// How many items a run has, but for the last one: 160 KiB of inodes.
const RUN: usize = 4096;

/// Brings items to their places: the one at the `n`th number of `order`, which has all numbers below their count,
/// to `n`.
pub(super) fn rearrange<T>(items: &mut [T], order: Vec<u32>) {
    debug_assert_eq!(items.len(), order.len());
    // Where each item belongs.
    let mut places = vec![0; order.len()];
    for (place, from) in (0..).zip(&order) {
        places[*from as usize] = place;
    }
    drop(order);
    if items.len() > RUN {
        to_their_runs(items, &mut places);
    }
    for at in 0..items.len() {
        // Each round brings one item to its place, for good.
        while places[at] as usize != at {
            let place = places[at] as usize;
            items.swap(at, place);
            places.swap(at, place);
        }
    }
}

/// Brings items to the runs that their places are in, and `places` with them.
fn to_their_runs<T>(items: &mut [T], places: &mut [u32]) {
    // For each run its first place that may hold an item of another one.
    let mut open: Vec<usize> = (0..items.len()).step_by(RUN).collect();
    for run in 0..open.len() {
        let end = run.saturating_add(1).saturating_mul(RUN).min(items.len());
        while open[run] < end {
            let at = open[run];
            let home = places[at] as usize / RUN;
            // Where this is another run, that has such a place, as it lacks this item.
            let place = open[home];
            open[home] = place.saturating_add(1);
            if home != run {
                items.swap(at, place);
                places.swap(at, place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All numbers below `count`, mixed by a step that has no divisor in common with it.
    fn mixed(count: usize, step: usize) -> Vec<u32> {
        (0..count).map(|n| (n * step % count) as u32).collect()
    }

    #[test]
    fn each_item_comes_from_where_the_order_says() {
        let sizes = [0, 1, 2, 3, RUN - 1, RUN, RUN + 1, 3 * RUN, 10 * RUN + 7, 100_003];
        for count in sizes {
            let same: Vec<u32> = (0..count as u32).collect();
            let back: Vec<u32> = same.iter().rev().copied().collect();
            let mut moved = same.clone();
            moved.rotate_left(count / 3);
            let steps = [7, 4099, 65_537].map(|step| mixed(count, step));
            let whole = |order: &Vec<u32>| {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                sorted == same
            };
            for order in [same.clone(), back, moved].into_iter().chain(steps).filter(whole) {
                let mut items: Vec<u64> = (0..count as u64).map(|n| n * 3 + 1).collect();
                let expected: Vec<u64> =
                    order.iter().map(|from| u64::from(*from) * 3 + 1).collect();
                rearrange(&mut items, order);
                assert!(items == expected, "{count} items");
            }
        }
    }
}
