//! Sets of extended attributes that were met lately: most inodes have one of a few, as a rule a security
//! label, and need no set of their own.

use alloc::vec;
use alloc::vec::Vec;

const SLOTS: usize = 256;
/// How many bytes of each end of a set are hashed.
const END: usize = 32;

/// For each hash the last set that had it. Two sets with one hash push each other out, which costs
/// what not knowing them costs: so it needs no secret seed.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent(Vec<u32>);

impl Recent {
    /// The number of the set, plus one, that these bytes may be; 0 if there was none.
    #[expect(clippy::indexing_slicing, reason = "there are as many slots as a hash can name")]
    pub(super) fn slot(&mut self, set: &[u8]) -> &mut u32 {
        if self.0.is_empty() {
            self.0 = vec![0; SLOTS];
        }
        let first = set.get(..END).unwrap_or(set);
        let last = set.get(set.len().saturating_sub(END)..).unwrap_or(set);
        let hash = first.iter().chain(last).fold(set.len() as u32, |hash, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193) // FNV-1a
        });
        &mut self.0[(hash ^ hash >> 16) as usize % SLOTS]
    }
}
