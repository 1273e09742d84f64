//! What a file is, by its first bytes.

use std::fmt;

use erofs_tarfs::io::{Compression, NamedFile};

use crate::cli::fail::Done;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tar,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Erofs,
    /// A disk with a partition table.
    Gpt,
}

/// How many first bytes are looked at: the superblock of EROFS starts at byte 1024.
pub(crate) const HEAD: usize = 1028;

impl Kind {
    /// What a file or a stream is that begins with these bytes.
    pub(crate) fn of(head: &[u8]) -> Self {
        match Compression::of(head) {
            Compression::Gzip => Self::Gzip,
            Compression::Zstd => Self::Zstd,
            Compression::Xz => Self::Xz,
            Compression::Bzip2 => Self::Bzip2,
            _ if head.get(1024..HEAD) == Some(&0xe0f5_e1e2_u32.to_le_bytes()) => Self::Erofs,
            _ if is_partitioned(head) => Self::Gpt,
            // Or it is nothing that we know: then the tar parser will say so.
            _ => Self::Tar,
        }
    }

    /// Whether it is a disk with partitions.
    pub(crate) fn is_disk(self) -> bool {
        self == Self::Gpt
    }

    pub(crate) fn is_compressed(self) -> bool {
        self.compression() != Compression::None
    }

    /// How its bytes are compressed.
    pub(crate) fn compression(self) -> Compression {
        match self {
            Self::Gzip => Compression::Gzip,
            Self::Zstd => Compression::Zstd,
            Self::Xz => Compression::Xz,
            Self::Bzip2 => Compression::Bzip2,
            Self::Tar | Self::Erofs | Self::Gpt => Compression::None,
        }
    }
}

/// Whether the MBR has a partition of the type that protects a GPT. The header of the GPT is not looked
/// at, because it may be damaged.
fn is_partitioned(head: &[u8]) -> bool {
    let types = (0..4).map(|entry| head.get(446 + 16 * entry + 4));
    head.get(510..512) == Some(&[0x55, 0xaa]) && types.into_iter().any(|byte| byte == Some(&0xee))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Erofs => "EROFS",
            Self::Gpt => "GPT",
        })
    }
}

/// What an open file is.
pub(crate) fn of(file: &NamedFile) -> Done<Kind> {
    let mut head = vec![0; HEAD.min(file.bytes()? as usize)];
    file.read_exact_at(&mut head, 0)?;
    Ok(Kind::of(&head))
}

/// What errors say of a file that should be an EROFS image and is none.
pub(crate) const NO_EROFS: &str = "is not an EROFS image (no superblock at offset 1024): \
     `tarfs layer` or `tarfs merge` makes one of tars";
