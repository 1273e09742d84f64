//! Extended attributes, and their name filter.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The longest name behind its prefix, in bytes.
pub const MAX_NAME: usize = 255;
/// The longest value, in bytes.
pub const MAX_VALUE: usize = 65535;
/// The largest xattr body of an inode, in bytes.
pub const MAX_IBODY: usize = 12 + 4 * 65534;
/// Seed of the name filter's hash, `EROFS_XATTR_FILTER_SEED`.
pub const FILTER_SEED: u32 = 0x25BB_E08F;

/// The head of an inode's xattr body: 12 bytes, then `shared_count` ids, then entries.
///
/// # References
/// `struct erofs_xattr_ibody_header` in Linux, `fs/erofs/erofs_fs.h`.
///
/// ```
/// use erofs_tarfs::format::{FILTER_SEED, XattrHeader, XattrPrefix, filter_bit, zerocopy::IntoBytes};
///
/// // An inode with one attribute, `user.owner`: its bit is clear.
/// let filter = !(1 << filter_bit(XattrPrefix::User, b"owner"));
/// let header = XattrHeader { name_filter: filter.into(), shared_count: 0, reserved: [0; 7] };
/// assert_eq!(header.as_bytes().len(), 12);
/// assert_eq!(header.name_filter.get().count_zeros(), 1);
/// ```
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct XattrHeader {
    /// A bit is clear for each name that is present, see [`filter_bit`].
    pub name_filter: U32,
    /// Number of shared xattr ids, 4 bytes each, that follow.
    pub shared_count: u8,
    /// 0.
    pub reserved: [u8; 7],
}

const _: () = assert!(size_of::<XattrHeader>() == 12);

/// One attribute: 4 bytes, then name and value, filled up to a multiple of 4.
///
/// # References
/// `struct erofs_xattr_entry` in Linux, `fs/erofs/erofs_fs.h`.
///
/// ```
/// use erofs_tarfs::format::{XattrEntry, XattrPrefix, zerocopy::IntoBytes};
///
/// // `user.owner`, with a value of 3 bytes: `owner` and the value follow.
/// let name_index = XattrPrefix::User as u8;
/// let entry = XattrEntry { name_len: 5, name_index, value_size: 3.into() };
/// assert_eq!(entry.as_bytes(), [5, 1, 3, 0]);
/// ```
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct XattrEntry {
    /// Length of the name behind its prefix.
    pub name_len: u8,
    /// [`XattrPrefix`], or a long prefix with bit 7 set.
    pub name_index: u8,
    /// Length of the value.
    pub value_size: U16,
}

const _: () = assert!(size_of::<XattrEntry>() == 4);

/// The namespaces that EROFS has an index for.
///
/// ```
/// use erofs_tarfs::format::XattrPrefix;
///
/// let capability = XattrPrefix::split(b"security.capability");
/// assert_eq!(capability, Some((XattrPrefix::Security, &b"capability"[..])));
/// assert_eq!(XattrPrefix::split(b"com.apple.quarantine"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum XattrPrefix {
    /// `user.`
    User = 1,
    /// `system.posix_acl_access`, the whole name.
    PosixAclAccess = 2,
    /// `system.posix_acl_default`, the whole name.
    PosixAclDefault = 3,
    /// `trusted.`
    Trusted = 4,
    /// `security.`
    Security = 6,
}

impl XattrPrefix {
    const ALL: [Self; 5] =
        [Self::User, Self::PosixAclAccess, Self::PosixAclDefault, Self::Trusted, Self::Security];

    /// The prefix as text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::User => "user.",
            Self::PosixAclAccess => "system.posix_acl_access",
            Self::PosixAclDefault => "system.posix_acl_default",
            Self::Trusted => "trusted.",
            Self::Security => "security.",
        }
    }

    /// The prefix with this index on disk.
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|p| *p as u8 == index)
    }

    /// Splits a full name into prefix and rest; `None` where EROFS has no index for it.
    pub fn split(name: &[u8]) -> Option<(Self, &[u8])> {
        let (prefix, rest) = Self::ALL
            .into_iter()
            .find_map(|p| Some((p, name.strip_prefix(p.text().as_bytes())?)))?;
        let whole = matches!(prefix, Self::PosixAclAccess | Self::PosixAclDefault);
        (whole == rest.is_empty()).then_some((prefix, rest))
    }
}

/// The bit (0 to 31) of the name filter that stands for a name behind its prefix.
///
/// It is `xxh32(rest, FILTER_SEED + prefix) & 31`.
///
/// ```
/// use erofs_tarfs::format::{XattrPrefix, filter_bit};
/// assert_eq!(filter_bit(XattrPrefix::Trusted, b"overlay.opaque"), 20);
/// ```
pub fn filter_bit(prefix: XattrPrefix, rest: &[u8]) -> u32 {
    xxh32(rest, FILTER_SEED.wrapping_add(prefix as u32)) & 31
}

/// xxHash, 32 bits: <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>.
fn xxh32(input: &[u8], seed: u32) -> u32 {
    const P: [u32; 5] = [2654435761, 2246822519, 3266489917, 668265263, 374761393];
    let word = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
    let (stripes, rest) = input.as_chunks::<16>();
    let mut acc = seed.wrapping_add(P[4]);
    if !stripes.is_empty() {
        let mut lanes = [
            seed.wrapping_add(P[0]).wrapping_add(P[1]),
            seed.wrapping_add(P[1]),
            seed,
            seed.wrapping_sub(P[0]),
        ];
        for stripe in stripes {
            for (lane, bytes) in lanes.iter_mut().zip(stripe.as_chunks().0) {
                let sum = lane.wrapping_add(word(bytes).wrapping_mul(P[1]));
                *lane = sum.rotate_left(13).wrapping_mul(P[0]);
            }
        }
        acc = [1, 7, 12, 18]
            .into_iter()
            .zip(lanes)
            .fold(0u32, |sum, (bits, lane)| sum.wrapping_add(lane.rotate_left(bits)));
    }
    acc = acc.wrapping_add(input.len() as u32);
    let (words, rest) = rest.as_chunks();
    for bytes in words {
        acc = acc.wrapping_add(word(bytes).wrapping_mul(P[2])).rotate_left(17).wrapping_mul(P[3]);
    }
    for byte in rest {
        acc = acc.wrapping_add(u32::from(*byte).wrapping_mul(P[4]));
        acc = acc.rotate_left(11).wrapping_mul(P[0]);
    }
    acc = (acc ^ acc >> 15).wrapping_mul(P[1]);
    acc = (acc ^ acc >> 13).wrapping_mul(P[2]);
    acc ^ acc >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits that the kernel uses, from images it mounts.
    #[test]
    fn filter_bits_are_the_kernels() {
        for (name, prefix, bit) in [
            (&b"overlay.origin"[..], XattrPrefix::Trusted, 18),
            (b"overlay.opaque", XattrPrefix::Trusted, 20),
            (b"overlay.redirect", XattrPrefix::Trusted, 17),
            (b"k", XattrPrefix::User, 14),
            (b"capability", XattrPrefix::Security, 29),
            (b"", XattrPrefix::PosixAclAccess, 30),
        ] {
            assert_eq!(filter_bit(prefix, name), bit, "{name:?}");
        }
    }

    #[test]
    fn names_split_at_known_namespaces() {
        assert_eq!(XattrPrefix::split(b"user.k"), Some((XattrPrefix::User, &b"k"[..])));
        assert_eq!(
            XattrPrefix::split(b"system.posix_acl_access"),
            Some((XattrPrefix::PosixAclAccess, &b""[..]))
        );
        for refused in
            [&b"user."[..], b"system.posix_acl_accessx", b"com.apple.x", b"system.x", b""]
        {
            assert_eq!(XattrPrefix::split(refused), None, "{refused:?}");
        }
    }
}
