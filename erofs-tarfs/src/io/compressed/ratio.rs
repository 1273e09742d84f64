//! Streams that become much longer than what they are made of.

use super::StreamFault;

/// How many times as long as what it is made of a stream may be, once it is long at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio(pub(super) u64);

impl Default for Ratio {
    /// gzip makes 1,032 bytes of one at most, zstd any number; layers of real images are below 20.
    fn default() -> Self {
        Self(200)
    }
}

impl Ratio {
    /// Up to here it counts for nothing: short layers of zeros are common.
    const FREE: u64 = 256 << 20;

    /// Refuses `made` bytes of `used` ones that are too many.
    pub(super) fn check(self, used: u64, made: u64) -> Result<(), StreamFault> {
        let Self(max_ratio) = self;
        match made > Self::FREE && made / max_ratio.max(1) > used {
            true => Err(StreamFault::Ratio { made, used, max_ratio }),
            false => Ok(()),
        }
    }
}
