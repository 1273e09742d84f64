//! Leaves that are there already: as digests, in a tree, in the leaves of something larger.

use alloc::vec;
use alloc::vec::Vec;

use super::super::verify::first_mismatch;
use super::super::{BlockHasher, Error, Fault, Params, RootOnly, Sealed, Source, Upper};
use super::{Leaves, Store};

/// Bytes of hash blocks read and hashed at a time.
const RUN: u64 = 64 << 10;

impl Leaves {
    /// Leaves of digests that were kept, made with the data block size, the algorithm and the salt of `params`: those of [`Leaves::digests`], or level 0 of a tree without the zeros at
    /// its end. They are trusted; [`Leaves::read`] trusts a root hash only.
    ///
    /// # Errors
    /// [`Error::DigestLength`].
    pub fn from_digests(params: &Params, digests: Vec<u8>) -> Result<Self, Error> {
        let mut leaves = Self::new(params);
        leaves.feed.check_digests(&digests, 0)?;
        leaves.store = Store { len: digests.len(), bytes: digests, ..leaves.store };
        Ok(leaves)
    }

    /// Reads the leaves back out of a tree: its level 0 is nothing but them. They are verified
    /// against the root hash, which alone is trusted; the data is not read.
    ///
    /// Costs hashing level 0, a 16th of the data at 512-byte data blocks and a 128th at 4096, and
    /// as much memory. [`io::verity::read_leaves`](crate::io::verity::read_leaves) has threads.
    ///
    /// # Errors
    /// [`Error::HashMismatch`] for the first hash block that is not what the root hash says; the
    /// source's own.
    ///
    /// # Examples
    /// A layer's disk and its tree serve an image in which the layer's bytes lie elsewhere:
    /// ```
    /// use erofs_tarfs::verity::{Geometry, HashBytes, Hasher, Leaves, Params, HashPlacement, RootOnly};
    ///
    /// let (params, disk) = (Params::nydus(), vec![7; 512 * 300]);
    /// let mut hasher = Hasher::new(Geometry::new(&params, 512 * 300, HashPlacement::OwnFile)?);
    /// let mut tree = HashBytes::default();
    /// hasher.push(&disk, &mut tree)?;
    /// let sealed = hasher.finish(&mut tree)?;
    ///
    /// let leaves = Leaves::read(&sealed, &mut &tree)?;
    /// let image = Geometry::new(&params, 512 * 200, HashPlacement::OwnFile)?;
    /// let mut hasher = Hasher::new(image);
    /// hasher.push(&[1; 1024], &mut RootOnly)?;
    /// hasher.push_digests(&leaves.digests()[32 * 8..][..32 * 198], &mut RootOnly)?;
    /// hasher.finish(&mut RootOnly)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read<H: Source>(sealed: &Sealed, hashes: &mut H) -> Result<Self, Fault<H::Error>> {
        let (params, geometry) = (sealed.params(), sealed.geometry());
        let Some(level) = geometry.levels().first() else {
            return Ok(Self::from_digests(params, sealed.root().as_bytes().to_vec())?);
        };
        let (hasher, block) = (BlockHasher::of(params), geometry.hash_block());
        let mut upper = Upper::new(geometry.clone())?;
        let run = RUN.max(block.bytes().into());
        let one = params.digest_len();
        let mut digests = vec![0; (run >> block.bits()) as usize * one];
        let (mut bytes, end) = (Vec::new(), level.blocks << block.bits());
        while (bytes.len() as u64) < end {
            let at = bytes.len();
            let len = run.min(end - at as u64) as usize;
            bytes.resize(at + len, 0);
            hashes.read_at(level.offset + at as u64, &mut bytes[at..]).map_err(Fault::Caller)?;
            let digests = &mut digests[..(len >> block.bits()) * one];
            hasher.fill(block, &bytes[at..], digests);
            upper.push(digests, &mut RootOnly).map_err(Fault::into_error)?;
        }
        let root = upper.finish(&mut RootOnly).map_err(Fault::into_error)?.root();
        if root != sealed.root() {
            return Err(first_mismatch(sealed, hashes));
        }
        Ok(Self::of_level(sealed, bytes))
    }

    /// Leaves of level 0 of a tree, verified by the caller.
    pub(crate) fn of_level(sealed: &Sealed, mut level: Vec<u8>) -> Self {
        // The zeros that fill up the last hash block.
        level.truncate(sealed.geometry().data_blocks() as usize * sealed.params().digest_len());
        let mut leaves = Self::new(sealed.params());
        leaves.store = Store { len: level.len(), bytes: level, ..leaves.store };
        leaves
    }

    /// The leaves of `bytes` bytes of the data, from byte `offset` on: those of a tar, out of those
    /// of the disk that it lies in. `None` unless `offset` is the start of a data block. A last
    /// block that is not whole, or not there, is left out.
    pub fn part(&self, offset: u64, bytes: u64) -> Option<Self> {
        let block = self.data_block();
        if !block.divides(offset) {
            return None;
        }
        let digest_len = self.digest_len();
        let digests = |bytes: u64| {
            let blocks = usize::try_from(bytes >> block.bits()).unwrap_or(usize::MAX);
            blocks.saturating_mul(digest_len)
        };
        let rest = self.digests().get(digests(offset)..).unwrap_or_default();
        let part = rest[..digests(bytes).min(rest.len())].to_vec();
        let store = Store { len: part.len(), bytes: part, digest_len };
        let mut feed = self.feed.clone();
        feed.clear();
        Some(Self { feed, store })
    }
}
