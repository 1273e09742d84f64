//! Where hash blocks go to and come from.

use alloc::vec::Vec;
use core::convert::Infallible;

/// Takes hash blocks as they fill.
///
/// Any `FnMut(u64, &[u8]) -> Result<(), E>` is a sink.
///
/// ```
/// use erofs_tarfs::verity::{Geometry, Hasher, Params, HashPlacement};
/// use std::io::{Cursor, Seek, SeekFrom, Write};
///
/// // Hash blocks go to a file, here one in memory.
/// let mut file = Cursor::new(Vec::new());
/// let mut sink = |offset: u64, blocks: &[u8]| {
///     file.seek(SeekFrom::Start(offset))?;
///     file.write_all(blocks)
/// };
/// let mut hasher = Hasher::new(Geometry::new(&Params::nydus(), 1 << 20, HashPlacement::OwnFile)?);
/// hasher.push_zeros(1 << 20, &mut sink)?;
/// let sealed = hasher.finish(&mut sink)?;
/// assert_eq!(file.into_inner().len() as u64, sealed.geometry().end());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait HashSink {
    /// What can fail. It comes back unchanged in [`Fault::Caller`](super::Fault::Caller).
    type Error;

    /// Takes `blocks`, which belong at byte `offset` of the hash file: whole hash blocks, or in
    /// the end the superblock and the zeros from it to the tree.
    ///
    /// Within a level offsets ascend without gaps; levels take turns.
    ///
    /// # Errors
    /// Whatever hinders it from taking them: hashing ends with that.
    fn put(&mut self, offset: u64, blocks: &[u8]) -> Result<(), Self::Error>;
}

impl<E, F: FnMut(u64, &[u8]) -> Result<(), E>> HashSink for F {
    type Error = E;

    fn put(&mut self, offset: u64, blocks: &[u8]) -> Result<(), E> {
        self(offset, blocks)
    }
}

/// A sink that drops everything: for the root hash alone.
///
/// ```
/// use erofs_tarfs::verity::{Geometry, Hasher, Params, HashPlacement, RootOnly};
///
/// let (params, data) = (Params::nydus(), [7; 5120]);
/// let geometry = Geometry::new(&params, 5120, HashPlacement::OwnFile)?;
/// let mut hasher = Hasher::new(geometry);
/// hasher.push(&data, &mut RootOnly)?;
/// assert_eq!(hasher.finish(&mut RootOnly)?.root(), Hasher::root(&params, &data)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RootOnly;

impl HashSink for RootOnly {
    type Error = Infallible;

    fn put(&mut self, _offset: u64, _blocks: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A sink and a source in memory: the bytes of a hash file from byte `start` on.
///
/// What is put before `start` would be lost, so `start` is a tree's
/// [`hash_offset`](super::Geometry::hash_offset), or less.
///
/// ```
/// use erofs_tarfs::verity::{Geometry, HashBytes, Hasher, Params, HashPlacement};
///
/// // The tree stands behind 5120 bytes of data, at the next multiple of 4096; only it is kept here.
/// let geometry = Geometry::new(&Params::nydus(), 5120, HashPlacement::BehindData)?;
/// let mut tree = HashBytes { start: geometry.hash_offset(), bytes: Vec::new() };
/// let mut hasher = Hasher::new(geometry);
/// hasher.push(&[7; 5120], &mut tree)?;
/// hasher.finish(&mut tree)?;
/// assert_eq!((tree.start, tree.bytes.len()), (8192, 4096));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashBytes {
    /// Byte offset in the hash file of the first byte here.
    pub start: u64,
    /// The bytes from there.
    pub bytes: Vec<u8>,
}

impl HashSink for HashBytes {
    type Error = OutOfBounds;

    fn put(&mut self, offset: u64, blocks: &[u8]) -> Result<(), OutOfBounds> {
        let out = OutOfBounds { offset };
        let at = offset.checked_sub(self.start).ok_or(out)?;
        let at = usize::try_from(at).map_err(|_| out)?;
        let end = at.checked_add(blocks.len()).ok_or(out)?;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(blocks);
        Ok(())
    }
}

/// Gives bytes of a file: of the data, or of the hash area.
///
/// Any `FnMut(u64, &mut [u8]) -> Result<(), E>` is a source, and so is a slice of the whole file.
///
/// ```
/// use erofs_tarfs::verity::{Geometry, HashPlacement, Hasher, Params, RootOnly, Verifier};
/// use std::io::{Cursor, Read, Seek, SeekFrom};
///
/// let geometry = Geometry::new(&Params::nydus(), 512, HashPlacement::OwnFile)?;
/// let mut hasher = Hasher::new(geometry.clone());
/// let mut hashes = Vec::new();
/// hasher.push(&[7; 512], &mut |_, blocks: &[u8]| Ok::<(), std::io::Error>(hashes.extend(blocks)))?;
/// let sealed = hasher.finish(&mut |_, blocks: &[u8]| Ok::<(), std::io::Error>(hashes.extend(blocks)))?;
///
/// // The data comes of a file, here one in memory.
/// let mut file = Cursor::new([7; 512]);
/// let mut data = |offset: u64, buf: &mut [u8]| {
///     file.seek(SeekFrom::Start(offset))?;
///     file.read_exact(buf)
/// };
/// let mut hashes = |offset: u64, buf: &mut [u8]| {
///     buf.copy_from_slice(&hashes[offset as usize..][..buf.len()]);
///     Ok::<(), std::io::Error>(())
/// };
/// Verifier::new(geometry, sealed.root()).verify_all(&mut data, &mut hashes)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Source {
    /// What can fail. It comes back unchanged in [`Fault::Caller`](super::Fault::Caller).
    type Error;

    /// Fills `buf` with the bytes at byte `offset`.
    ///
    /// # Errors
    /// Whatever hinders it from filling all of `buf`: verifying ends with that.
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), Self::Error>;
}

impl<E, F: FnMut(u64, &mut [u8]) -> Result<(), E>> Source for F {
    type Error = E;

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), E> {
        self(offset, buf)
    }
}

impl Source for &[u8] {
    type Error = OutOfBounds;

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), OutOfBounds> {
        let out = OutOfBounds { offset };
        let at = usize::try_from(offset).map_err(|_| out)?;
        let from = <[u8]>::get(self, at..).and_then(|rest| rest.get(..buf.len())).ok_or(out)?;
        buf.copy_from_slice(from);
        Ok(())
    }
}

impl Source for &HashBytes {
    type Error = OutOfBounds;

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), OutOfBounds> {
        let at = offset.checked_sub(self.start).ok_or(OutOfBounds { offset })?;
        self.bytes.as_slice().read_at(at, buf).map_err(|_| OutOfBounds { offset })
    }
}

/// Bytes asked for that a slice in memory does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes wanted at offset {offset} are not there")]
#[non_exhaustive]
pub struct OutOfBounds {
    /// Byte offset in the file at which they were to begin.
    pub offset: u64,
}
