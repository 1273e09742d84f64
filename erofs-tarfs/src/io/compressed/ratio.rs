//! Streams that become much longer than what they are made of.

use super::StreamFault;
use crate::limits::Limits;

/// How many times as long as what it is made of a stream may be, once it is long at all: beyond 256 MiB. 200 by
/// default.
///
/// [`Uncompressed`](super::Uncompressed) and [`Decompressor`](super::Decompressor) hold streams to it; who else makes
/// much of little, as of a sparse file, can ask it too.
///
/// ```
/// use erofs_tarfs::io::{Ratio, StreamFault};
///
/// assert_eq!(Ratio::default(), Ratio(200));
/// assert!(Ratio(200).check(1 << 20, 200 << 20).is_ok(), "not more than 256 MiB");
/// let over = Ratio(200).check(1 << 20, 300 << 20);
/// assert!(matches!(over, Err(StreamFault::Ratio { max_ratio: 200, .. })));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio(pub u64);

impl Default for Ratio {
    /// That of [`Limits::max_ratio`].
    fn default() -> Self {
        Limits::default().into()
    }
}

impl From<Limits> for Ratio {
    fn from(limits: Limits) -> Self {
        Self(limits.max_ratio)
    }
}

impl Ratio {
    /// Up to here it counts for nothing: short layers of zeros are common.
    const FREE: u64 = 256 << 20;

    /// Refuses `made` bytes of `used` ones that are too many.
    ///
    /// # Errors
    /// [`StreamFault::Ratio`].
    pub fn check(self, used: u64, made: u64) -> Result<(), StreamFault> {
        let Self(max_ratio) = self;
        match made > Self::FREE && made / max_ratio.max(1) > used {
            true => Err(StreamFault::Ratio { made, used, max_ratio }),
            false => Ok(()),
        }
    }
}
