//! With what blocks are hashed, and where the salt goes.

use core::fmt;

/// The hash algorithm of a tree.
///
/// SHA-1, which `veritysetup` and kernels know too, is not here: who opens a device by it trusts a hash that is broken,
/// and no container runtime does.
///
/// ```
/// use erofs_tarfs::verity::{Algorithm, Params};
///
/// let params = Params::nydus().with_algorithm(Algorithm::Sha512);
/// assert_eq!((params.digest_len(), params.digests_per_block()), (64, 64));
/// assert_eq!(Algorithm::named("sha512"), Some(Algorithm::Sha512));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Digests of 32 bytes: what everybody takes.
    #[default]
    Sha256,
    /// Digests of 64 bytes: a tree is twice as large.
    Sha512,
}

impl Algorithm {
    /// The names that [`Algorithm::named`] knows, those of `veritysetup --hash`.
    pub const NAMES: [&str; 2] = ["sha256", "sha512"];

    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Its name, as superblocks, tables and `veritysetup` have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of a digest in bytes.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The format of a hash tree: where the salt goes. `veritysetup` and the kernel have it as a number.
///
/// ```
/// use erofs_tarfs::verity::{HashFormat, Params};
///
/// let params = Params::containerd().with_format(HashFormat::ChromeOs);
/// assert_eq!(params.format().number(), 0);
/// assert_eq!(HashFormat::of_number(1), Some(HashFormat::Normal));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashFormat {
    /// Format 1: the salt is hashed in front of each block.
    #[default]
    Normal,
    /// Format 0, of Chrome OS: the salt is hashed behind each block.
    ChromeOs,
}

impl HashFormat {
    /// The format of this number: 0 or 1.
    pub const fn of_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::ChromeOs),
            1 => Some(Self::Normal),
            _ => None,
        }
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        match self {
            Self::ChromeOs => 0,
            Self::Normal => 1,
        }
    }
}
