//! How many threads hash.

use core::num::NonZero;

use erofs_tarfs::io::verity::HashingOptions;

/// The library's options for what C calls thread_count: 0 is as many as the machine has.
pub(crate) fn options(count: u32) -> HashingOptions {
    HashingOptions::new().threads(NonZero::new(count as usize))
}
