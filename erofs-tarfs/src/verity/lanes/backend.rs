//! The ways of hashing.

use core::fmt;

/// How blocks are hashed. All give the same bytes; they differ in speed only.
///
/// The best one that the CPU has is taken by itself; name one to compare or to debug. Without an
/// operating system an Armv8 CPU cannot be asked: there the build says, by its target features.
///
/// ```
/// use erofs_tarfs::verity::{Backend, BlockHasher};
///
/// // Which one is used changes the speed, and no digest.
/// let best = BlockHasher::new(b"")?;
/// assert_eq!(best.backend(), Backend::best());
/// let slow = best.clone().with_backend(Backend::Sha2);
/// assert_eq!(best.hash(&[7; 512]), slow.hash(&[7; 512]));
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// The `sha2` crate, one block at a time: everywhere, with the SHA instructions of x86 and
    /// Armv8 CPUs that have them.
    Sha2,
    /// Eight blocks at a time in AVX2 registers: for x86-64 without SHA instructions.
    Avx2,
    /// Two blocks at a time with the SHA instructions of x86-64.
    ShaNi,
    /// Eight blocks at a time with the SHA instructions of x86-64, their message schedules in
    /// AVX-512VL registers. For Zen 3 and 4. Intel's Xeons spend some two hundred cycles each time that SHA
    /// instructions, which are SSE's, follow those of wider registers: 0.01 GB/s where AVX-512 alone has 3.
    ShaNiAvx512,
    /// Sixteen blocks at a time in AVX-512 registers.
    Avx512,
    /// Two blocks at a time with the SHA-256 instructions of Armv8.
    Armv8,
}

impl Backend {
    /// All that there are, the slowest first.
    pub const ALL: [Self; 6] =
        [Self::Sha2, Self::Avx2, Self::ShaNi, Self::ShaNiAvx512, Self::Avx512, Self::Armv8];

    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha2 => "sha2",
            Self::Avx2 => "avx2",
            Self::ShaNi => "sha-ni",
            Self::ShaNiAvx512 => "sha-ni-avx512",
            Self::Avx512 => "avx512",
            Self::Armv8 => "armv8",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
