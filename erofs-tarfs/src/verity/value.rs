//! Small values: block sizes, digests, UUIDs.

use core::fmt;

use super::Error;
use crate::units::digest_of_hex;

/// The size of a data block or of a hash block, in bytes: a power of two, 512 to 524288.
///
/// The bounds are cryptsetup's (`VERITY_BLOCK_SIZE_OK` in `lib/verity/verity.h`); the kernel adds
/// that a data block is at most a page, see [`Params::check_page`](super::Params::check_page).
///
/// ```
/// use erofs_tarfs::verity::VerityBlockSize;
///
/// let block = VerityBlockSize::B4096;
/// assert_eq!((block.bytes(), block.round_up(5000)), (4096, Some(8192)));
/// assert_eq!(VerityBlockSize::new(256), None, "512 bytes is the least");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerityBlockSize(u8);

impl VerityBlockSize {
    /// 512 bytes: what images of 512-byte EROFS blocks need.
    pub const B512: Self = Self(9);
    /// 4096 bytes: veritysetup's default.
    pub const B4096: Self = Self(12);

    /// The block size of `bytes`, if that is a power of two from 512 to 524288.
    pub const fn new(bytes: u32) -> Option<Self> {
        if bytes.is_power_of_two() && bytes >= 512 && bytes <= 512 << 10 {
            Some(Self(bytes.trailing_zeros() as u8))
        } else {
            None
        }
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u32 {
        1 << self.0
    }

    /// The binary logarithm of the size: 9 to 19.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// `bytes` rounded up to whole blocks, or `None` past 2^64.
    pub const fn round_up(self, bytes: u64) -> Option<u64> {
        bytes.checked_next_multiple_of(1 << self.0)
    }

    /// Whether `bytes` is a whole number of blocks.
    pub const fn divides(self, bytes: u64) -> bool {
        bytes & ((1 << self.0) - 1) == 0
    }

    pub(super) const fn size(self) -> usize {
        1 << self.0
    }
}

impl From<crate::units::BlockSize> for VerityBlockSize {
    fn from(size: crate::units::BlockSize) -> Self {
        Self(size.bits())
    }
}

impl fmt::Debug for VerityBlockSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerityBlockSize({})", self.bytes())
    }
}

impl fmt::Display for VerityBlockSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes())
    }
}

/// A SHA-256 digest: of a layer, or of a block. [`TreeDigest`](super::TreeDigest) is one of a block by either algorithm.
///
/// Shown, and expected by [`core::str::FromStr`], as 64 lower-case hex digits.
///
/// ```
/// use erofs_tarfs::verity::Digest;
///
/// let root: Digest = "ab".repeat(32).parse()?;
/// assert_eq!(root, Digest([0xab; 32]));
/// assert_eq!(root.to_string(), "ab".repeat(32));
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; Self::LEN]);

impl Digest {
    /// Length of a digest in bytes.
    pub const LEN: usize = 32;
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl core::str::FromStr for Digest {
    type Err = Error;

    /// Reads 64 hex digits of either case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let what = "SHA-256 digest of 64 hex digits";
        digest_of_hex(text.as_bytes()).map(Self).ok_or(Error::Syntax { what })
    }
}

/// A UUID, in the byte order in which it is written (RFC 9562).
///
/// ```
/// use erofs_tarfs::verity::Uuid;
///
/// let uuid: Uuid = "0f8a237d-48ca-5305-ba9f-d2efb00fcd98".parse()?;
/// assert_eq!(uuid.0[..4], [0x0f, 0x8a, 0x23, 0x7d]);
/// assert_eq!(uuid.to_string(), "0f8a237d-48ca-5305-ba9f-d2efb00fcd98");
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// Whether all bytes are zero.
    pub const fn is_nil(self) -> bool {
        u128::from_ne_bytes(self.0) == 0
    }

    /// The UUID that containerd gives the EROFS image of a layer: of version 5 (SHA-1), in the URL
    /// namespace, of `erofs:blobs/` and the digest as its descriptor writes it. containerd takes
    /// the digest of the blob as it is fetched (the compressed one) when it unpacks an image, and the
    /// diffID when it builds a cache of layers.
    ///
    /// # References
    /// RFC 9562, section 5.5; containerd's `plugins/diff/erofs`, which calls
    /// `uuid.NewSHA1(uuid.NameSpaceURL, …)`.
    ///
    /// # Examples
    /// ```
    /// use erofs_tarfs::verity::Uuid;
    ///
    /// let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// assert_eq!(Uuid::of_blob(digest).to_string(), "0f8a237d-48ca-5305-ba9f-d2efb00fcd98");
    /// ```
    pub fn of_blob(digest: &str) -> Self {
        let name = [b"erofs:blobs/", digest.as_bytes()].concat();
        Self(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, &name).into_bytes())
    }

    /// Bytes of a hash as a UUID of version 8 (RFC 9562): the version for bits that mean nothing to
    /// others.
    pub(crate) fn version_8(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid().into_bytes())
    }

    /// A UUID of version 8 that depends on `root` alone: equal trees, equal UUIDs.
    pub(super) fn derive(root: &[u8]) -> Self {
        use sha2::Digest as _;
        let hash = sha2::Sha256::new()
            .chain_update(b"erofs-tarfs dm-verity superblock")
            .chain_update(root)
            .finalize();
        Self::version_8(core::array::from_fn(|i| hash[i]))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uuid({self})")
    }
}

impl core::str::FromStr for Uuid {
    type Err = Error;

    /// Reads the form `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, hex digits of either case.
    fn from_str(text: &str) -> Result<Self, Error> {
        // The parser also takes other forms, such as one in braces. None of them has 36 characters.
        match uuid::Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self(uuid.into_bytes())),
            _ => Err(Error::Syntax { what: "UUID" }),
        }
    }
}

/// Bytes shown as lower-case hex digits.
#[derive(Clone, Copy)]
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn texts_round_trip_and_refuse() {
        let text = "00112233-4455-6677-8899-aabbccddeeff";
        let uuid: Uuid = text.parse().unwrap();
        assert_eq!(uuid.0[..4], [0, 0x11, 0x22, 0x33]);
        assert_eq!(uuid.to_string(), text);
        let digest = Digest([0xa5; 32]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in ["", "a5", &"g".repeat(64), &"é".repeat(32), &"0".repeat(65)] {
            assert!(bad.parse::<Digest>().is_err());
            assert!(bad.parse::<Uuid>().is_err());
        }
        assert!("0011-2233445566778899-aabb-ccdd-eeff".parse::<Uuid>().is_err());
        assert!(!Uuid::derive(&digest.0).is_nil() && Uuid([0; 16]).is_nil());
    }
}
