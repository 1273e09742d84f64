//! What is pushed becomes the bytes of a tar: as it is, or decompressed.

use erofs_tarfs::io::{BrokenStream, Compression, Decompressor};
use erofs_tarfs::limits::Limits;

use crate::abi::error::Error;

/// The bytes pushed are those of the tar.
pub const TARFS_COMPRESSION_NONE: u32 = 0;
/// Told by the first bytes: gzip, zstd, xz or bzip2, and a tar as it is if they are of none.
pub const TARFS_COMPRESSION_AUTO: u32 = 1;
/// gzip: members one behind the other, each held against its CRC-32 and length.
pub const TARFS_COMPRESSION_GZIP: u32 = 2;
/// zstd: frames one behind the other, each held against its checksum, if it has one.
pub const TARFS_COMPRESSION_ZSTD: u32 = 3;
/// xz: streams one behind the other, each held against its checks; dictionaries up to 512 MiB. A library that was
/// built without the feature "xz", as it is by default, answers TARFS_STATUS_COMPRESSED.
pub const TARFS_COMPRESSION_XZ: u32 = 4;
/// bzip2: streams one behind the other, each held against its CRCs.
pub const TARFS_COMPRESSION_BZIP2: u32 = 5;

/// Bytes that are decompressed at a time: they are in the cache when the next ones look at them.
const ROOM: usize = 256 << 10;

/// Takes what is pushed, in pieces of any size.
#[derive(Debug)]
pub(crate) struct Unpack {
    stream: Stream,
    /// Of the limits the one that counts here.
    max_ratio: u64,
    room: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain,
    /// What is not told yet, and its first bytes.
    Unknown(Vec<u8>),
    Compressed(Box<Decompressor>),
}

/// Who takes the bytes of the tar.
type Take<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Error>;

impl Unpack {
    /// Of one of the constants above.
    pub(crate) fn new(compression: u32, limits: Limits) -> Result<Self, Error> {
        let mut unpack =
            Self { stream: Stream::Plain, max_ratio: limits.max_ratio, room: Vec::new() };
        match compression {
            TARFS_COMPRESSION_NONE => {}
            TARFS_COMPRESSION_AUTO => unpack.stream = Stream::Unknown(Vec::new()),
            TARFS_COMPRESSION_GZIP => unpack.begin(Compression::Gzip)?,
            TARFS_COMPRESSION_ZSTD => unpack.begin(Compression::Zstd)?,
            TARFS_COMPRESSION_XZ => unpack.begin(Compression::Xz)?,
            TARFS_COMPRESSION_BZIP2 => unpack.begin(Compression::Bzip2)?,
            _ => return Err(Error::argument(format!("compression {compression}: not known"))),
        }
        Ok(unpack)
    }

    /// Whether what is pushed is the tar itself.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.stream, Stream::Plain)
    }

    /// Takes the next bytes, and hands on what comes of them.
    pub(crate) fn push(&mut self, bytes: &[u8], take: Take<'_>) -> Result<(), Error> {
        match &mut self.stream {
            Stream::Plain => take(bytes),
            Stream::Compressed(stream) => decompress(stream, &mut self.room, bytes, take),
            Stream::Unknown(head) if head.is_empty() && bytes.len() >= Compression::HEAD => {
                self.stream = Stream::Plain;
                self.begin(Compression::of(bytes))?;
                self.push(bytes, take)
            }
            Stream::Unknown(head) => {
                // No more than is looked at: a caller may push a whole file that is mapped.
                let (first, rest) = bytes.split_at(bytes.len().min(Compression::HEAD - head.len()));
                head.extend_from_slice(first);
                if head.len() < Compression::HEAD {
                    return Ok(());
                }
                self.tell(take)?;
                self.push(rest, take)
            }
        }
    }

    /// Says that these were all.
    pub(crate) fn finish(&mut self, take: Take<'_>) -> Result<(), Error> {
        if matches!(self.stream, Stream::Unknown(_)) {
            self.tell(take)?;
        }
        match &mut self.stream {
            Stream::Compressed(stream) => Ok(stream.finish()?),
            _ => Ok(()),
        }
    }

    /// Tells by the first bytes what it is, and takes them.
    fn tell(&mut self, take: Take<'_>) -> Result<(), Error> {
        let Stream::Unknown(head) = core::mem::replace(&mut self.stream, Stream::Plain) else {
            return Ok(());
        };
        self.begin(Compression::of(&head))?;
        self.push(&head, take)
    }

    fn begin(&mut self, compression: Compression) -> Result<(), BrokenStream> {
        if compression != Compression::None {
            let stream =
                Decompressor::new(compression)?.limits(Limits::new().max_ratio(self.max_ratio));
            self.stream = Stream::Compressed(Box::new(stream));
        }
        Ok(())
    }
}

fn decompress(
    stream: &mut Decompressor,
    room: &mut Vec<u8>,
    mut bytes: &[u8],
    take: Take<'_>,
) -> Result<(), Error> {
    room.resize(ROOM, 0);
    loop {
        let done = stream.decompress(bytes, room)?;
        take(&room[..done.made])?;
        bytes = &bytes[done.used..];
        // While the room is full there may be more.
        if done.made < ROOM {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However long the pieces are, no more of them is copied than what tells the compression, and that only
    /// if it comes in parts.
    #[test]
    fn what_is_told_is_not_copied() {
        let bytes = vec![b'x'; 100_000];
        for (first, parts) in [(bytes.len(), 0), (10, 0), (9, 10), (1, 10), (0, 0)] {
            let mut unpack = Unpack::new(TARFS_COMPRESSION_AUTO, Limits::new()).unwrap();
            let (mut seen, mut copied) = (0, 0);
            for piece in [&bytes[..first], &bytes[first..]] {
                let push = unpack.push(piece, &mut |taken| {
                    let own = piece.as_ptr_range();
                    copied += if own.contains(&taken.as_ptr()) { 0 } else { taken.len() };
                    seen += taken.len();
                    Ok(())
                });
                push.unwrap();
            }
            unpack.finish(&mut |_| unreachable!()).unwrap();
            assert_eq!((seen, copied), (bytes.len(), parts), "first {first}");
        }
    }
}
