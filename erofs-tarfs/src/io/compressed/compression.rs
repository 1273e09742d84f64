//! Which compression a stream has.

use core::fmt;

/// How a stream is compressed.
///
/// ```
/// use erofs_tarfs::io::Compression;
///
/// assert_eq!(Compression::of(&[0x1f, 0x8b, 8, 0]), Compression::Gzip);
/// assert_eq!(Compression::of(b"etc/motd"), Compression::None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all, or in a way that is not known: the bytes are taken as they are.
    #[default]
    None,
    /// gzip (RFC 1952); read with the feature `gzip`.
    Gzip,
    /// Zstandard (RFC 8878); read with the feature `zstd`.
    Zstd,
}

impl Compression {
    /// How many first bytes of a stream tell its compression.
    pub const HEAD: usize = 4;

    /// The compression of a stream that begins with these bytes, of which [`Self::HEAD`] are enough.
    /// A frame that zstd passes over may be the first.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// Whether another member or frame begins with this byte; else padding does.
    pub(super) fn goes_on(self, first: u8) -> bool {
        match self {
            Self::None => true,
            Self::Gzip => first == 0x1f,
            Self::Zstd => matches!(first, 0x28 | 0x50..=0x5f),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}
