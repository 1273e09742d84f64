//! What is said when there is more of something than a limit allows.

use super::list::{Limit, Limits};

/// More of something than a limit allows.
///
/// ```
/// use erofs_tarfs::limits::{Limit, Limits};
///
/// let over = Limits::new().check(Limit::PathBytes, 70_000).unwrap_err();
/// assert_eq!(
///     over.to_string(),
///     "70000 bytes of a path or link target are over the limit max_path_bytes of 65536"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} {} are over the limit {} of {most}", .limit.what(), .limit.name())]
#[non_exhaustive]
pub struct OverLimit {
    /// Which limit.
    pub limit: Limit,
    /// How much there is, at least.
    pub value: u64,
    /// The limit's value: how much there may be.
    pub most: u64,
}

impl OverLimit {
    #[cold]
    pub(crate) fn new(limit: Limit, value: u64, most: u64) -> Self {
        Self { limit, value, most }
    }
}

impl Limits {
    /// Refuses what is over a limit.
    ///
    /// # Errors
    /// [`OverLimit`] if there is more than its value.
    #[inline]
    pub fn check(&self, limit: Limit, value: u64) -> Result<(), OverLimit> {
        let most = self.get(limit);
        if value > most { Err(OverLimit::new(limit, value, most)) } else { Ok(()) }
    }
}
