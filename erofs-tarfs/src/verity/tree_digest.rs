//! Digests of blocks, of either length.

use core::fmt;

use super::value::Hex;
use super::{Algorithm, Digest, Error};
use crate::units::digest_of_hex;

/// The digest of a block of data or of a tree; of the top of a tree, it is the root hash. It has 32 bytes if it is a
/// SHA-256, 64 if it is a SHA-512.
///
/// Shown, and expected by [`core::str::FromStr`], as 64 or 128 lower-case hex digits, the form that the
/// kernel table, `veritysetup` and root-hash signatures use.
///
/// ```
/// use erofs_tarfs::verity::{Algorithm, Digest, TreeDigest};
///
/// let root: TreeDigest = "ab".repeat(32).parse()?;
/// assert_eq!(root, Digest([0xab; 32]));
/// assert_eq!((root.as_bytes().len(), root.algorithm()), (32, Algorithm::Sha256));
/// assert_eq!("cd".repeat(64).parse::<TreeDigest>()?.to_string(), "cd".repeat(64));
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeDigest {
    algorithm: Short,
    /// Zeros behind those that count.
    bytes: [u8; Self::MAX],
}

/// The algorithms, in the order of the length of their digests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Short {
    Sha256,
    Sha512,
}

impl TreeDigest {
    /// The longest in bytes.
    pub const MAX: usize = 64;

    /// A digest of these bytes, if they are as many as one has.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let algorithm = match bytes.len() {
            32 => Short::Sha256,
            64 => Short::Sha512,
            _ => return None,
        };
        let mut all = [0; Self::MAX];
        all[..bytes.len()].copy_from_slice(bytes);
        Some(Self { algorithm, bytes: all })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm().digest_len()]
    }

    /// Of which algorithm it is, by its length.
    pub fn algorithm(&self) -> Algorithm {
        match self.algorithm {
            Short::Sha256 => Algorithm::Sha256,
            Short::Sha512 => Algorithm::Sha512,
        }
    }
}

impl From<Digest> for TreeDigest {
    fn from(digest: Digest) -> Self {
        let mut bytes = [0; Self::MAX];
        bytes[..Digest::LEN].copy_from_slice(&digest.0);
        Self { algorithm: Short::Sha256, bytes }
    }
}

impl From<[u8; 64]> for TreeDigest {
    fn from(bytes: [u8; 64]) -> Self {
        Self { algorithm: Short::Sha512, bytes }
    }
}

impl PartialEq<Digest> for TreeDigest {
    fn eq(&self, other: &Digest) -> bool {
        self.as_bytes() == other.0
    }
}

impl fmt::Display for TreeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(self.as_bytes()).fmt(f)
    }
}

impl fmt::Debug for TreeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeDigest({self})")
    }
}

impl core::str::FromStr for TreeDigest {
    type Err = Error;

    /// Reads 64 or 128 hex digits of either case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.as_bytes();
        let two = || -> Option<Self> {
            let (first, second) = text.split_at_checked(64)?;
            let (first, second): ([u8; 32], [u8; 32]) =
                (digest_of_hex(first)?, digest_of_hex(second)?);
            Self::of(&[first, second].concat())
        };
        let one = digest_of_hex(text).map(|bytes| Self::from(Digest(bytes)));
        let what = "digest of 64 hex digits, or of 128 for SHA-512";
        one.or_else(two).ok_or(Error::Syntax { what })
    }
}
