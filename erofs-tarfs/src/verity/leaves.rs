//! Leaf digests of data whose length is not known yet, or that serves several images.

mod kept;

use alloc::vec::Vec;
use core::convert::Infallible;

use super::feed::{Digests, Feed};
use super::{
    Backend, BlockHasher, Digest, Error, Fault, Geometry, HashPlacement, HashSink, Hasher, Params,
    Sealed, VerityBlockSize,
};

/// Hashes data as it streams by and keeps one digest a block: 1/16 of the data at 512 bytes.
///
/// Digests of blocks do not depend on where the data lands. Those of a tar, computed once while it
/// streams in, or [read](Leaves::read) back out of the hash tree of its layer, serve every image
/// that contains it on a block boundary; see [`Hasher::push_digests`] and
/// [`disk::hash`](crate::disk::hash).
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{HashBytes, Leaves, Params, HashPlacement};
///
/// let params = Params::nydus();
/// let mut leaves = Leaves::new(&params);
/// leaves.push(&[1; 1000]);
/// leaves.push_zeros(leaves.padding());
/// let mut tree = HashBytes { start: 4096, ..HashBytes::default() };
/// let sealed = leaves.seal(&params, HashPlacement::BehindData, &mut tree)?;
/// assert_eq!(sealed.geometry().hash_offset(), 4096);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Leaves {
    feed: Feed,
    store: Store,
}

#[derive(Clone, Debug)]
struct Store {
    bytes: Vec<u8>,
    len: usize,
    /// Length of a digest.
    digest_len: usize,
}

/// Room is made in steps of this many digests.
const STEP: u64 = 2048;

impl Leaves {
    /// No leaves yet, for the data block size, the algorithm and the salt of `params`.
    pub fn new(params: &Params) -> Self {
        let hasher = BlockHasher::of(params);
        let store = Store { bytes: Vec::new(), len: 0, digest_len: hasher.digest_len() };
        Self { feed: Feed::new(hasher, params.data_block()), store }
    }

    /// The same on another [`Backend`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.feed.hasher = self.feed.hasher.with_backend(backend);
        self
    }

    /// Hashes what is pushed as one stream too, until [`Leaves::end_stream`]; false if that is no
    /// faster than hashing it apart.
    pub(super) fn along(&mut self) -> bool {
        self.feed.along()
    }

    /// The digest of all that was pushed, if it was hashed along.
    pub(super) fn end_stream(&mut self) -> Option<Digest> {
        self.feed.end_stream(self.position())
    }

    /// The size of the blocks that are hashed.
    pub fn data_block(&self) -> VerityBlockSize {
        self.feed.block()
    }

    /// Length of a digest in bytes.
    pub fn digest_len(&self) -> usize {
        self.store.digest_len
    }

    /// Bytes of data hashed so far, ready digests counted as their blocks.
    pub fn position(&self) -> u64 {
        let blocks = (self.store.len / self.store.digest_len) as u64;
        (blocks << self.feed.block().bits()) + self.feed.partial() as u64
    }

    /// How many zero bytes fill up the last block.
    pub fn padding(&self) -> u64 {
        self.position().wrapping_neg() & (u64::from(self.feed.block().bytes()) - 1)
    }

    /// Hashes the next bytes of the data; 64 KiB or more at a time are fast, see
    /// [`Hasher::push`].
    pub fn push(&mut self, data: &[u8]) {
        let Ok(()) = self.feed.push(data, &mut self.store);
    }

    /// Hashes the next `bytes` bytes, all zero.
    pub fn push_zeros(&mut self, bytes: u64) {
        let Ok(()) = self.feed.push_zeros(bytes, &mut self.store);
    }

    /// Takes the digests of the next data blocks, each of [`digest_len`](Self::digest_len) bytes.
    ///
    /// # Errors
    /// [`Error::DigestLength`]; [`Error::MidBlock`] if a data block is half full.
    pub fn push_digests(&mut self, digests: &[u8]) -> Result<(), Error> {
        self.feed.check_digests(digests, self.position())?;
        let Ok(()) = self.feed.push_digests(digests, &mut self.store);
        Ok(())
    }

    /// Whether its digests are those that a tree of these parameters has for the same data: block
    /// size, algorithm, salt and its place are the same.
    pub fn serve(&self, params: &Params) -> bool {
        params.data_block() == self.data_block() && self.feed.hasher.is_of(params)
    }

    /// The digests of all whole blocks so far, each of [`digest_len`](Self::digest_len) bytes.
    pub fn digests(&self) -> &[u8] {
        &self.store.bytes[..self.store.len]
    }

    /// The digests of all blocks, each of [`digest_len`](Self::digest_len) bytes.
    ///
    /// # Errors
    /// [`Error::DataTail`] if the last block is not full, see [`Leaves::padding`].
    pub fn into_digests(mut self) -> Result<Vec<u8>, Error> {
        match self.feed.partial() {
            0 => {
                self.store.bytes.truncate(self.store.len);
                Ok(self.store.bytes)
            }
            _ => Err(self.tail()),
        }
    }

    /// Builds the tree over all leaves.
    ///
    /// `params` may differ from those of [`Leaves::new`] in hash block size and superblock only.
    ///
    /// # Errors
    /// [`Error::DataTail`]; [`Error::OtherLeaves`]; as [`Geometry::new`]; the sink's own.
    pub fn seal<S: HashSink>(
        &self,
        params: &Params,
        placement: HashPlacement,
        sink: &mut S,
    ) -> Result<Sealed, Fault<S::Error>> {
        if self.feed.partial() != 0 {
            return Err(self.tail().into());
        }
        if !self.serve(params) {
            return Err(Error::OtherLeaves.into());
        }
        let geometry = Geometry::new(params, self.position(), placement)?;
        let mut hasher = Hasher::new(geometry).with_backend(self.feed.hasher.backend());
        hasher.push_digests(self.digests(), sink)?;
        hasher.finish(sink)
    }

    fn tail(&self) -> Error {
        Error::DataTail { bytes: self.position(), block: self.feed.block().bytes() }
    }
}

impl Digests for Store {
    type Error = Infallible;

    fn room(&mut self, blocks: u64) -> &mut [u8] {
        let bytes = blocks.min(STEP) as usize * self.digest_len;
        if self.bytes.len() < self.len + bytes {
            self.bytes.resize(self.len + bytes, 0);
        }
        &mut self.bytes[self.len..][..bytes]
    }

    fn filled(&mut self, bytes: usize, _hasher: &BlockHasher) -> Result<(), Infallible> {
        self.len += bytes;
        Ok(())
    }
}
