//! No lanes, so far.

use super::Backend;

/// None.
pub(in super::super) fn has(_: Backend) -> bool {
    false
}

/// None.
pub(in super::super) fn preferred() -> Option<Backend> {
    None
}
