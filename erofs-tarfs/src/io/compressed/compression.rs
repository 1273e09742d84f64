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
    /// xz, of XZ Utils; read with the feature `xz`.
    Xz,
    /// bzip2; read with the feature `bzip2`.
    Bzip2,
}

impl Compression {
    /// How many first bytes of a stream tell its compression.
    pub const HEAD: usize = 10;

    /// The compression of a stream that begins with these bytes, of which [`Self::HEAD`] are enough.
    /// A frame that zstd passes over may be the first. What bzip2 begins with are letters, which a name in a tar may
    /// begin with too: what follows them tells.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] => match block.get(..6) {
                // A block, or the end of a stream without any: digits of π, and of its root.
                Some(
                    [0x31, 0x41, 0x59, 0x26, 0x53, 0x59] | [0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
                ) => Self::Bzip2,
                _ => Self::None,
            },
            _ => Self::None,
        }
    }

    /// Whether another member or frame begins with this byte; else padding does.
    pub(super) fn goes_on(self, first: u8) -> bool {
        match self {
            Self::None => true,
            Self::Gzip => first == 0x1f,
            Self::Zstd => matches!(first, 0x28 | 0x50..=0x5f),
            Self::Xz => first == 0xfd,
            Self::Bzip2 => first == b'B',
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        })
    }
}
