//! The streaming hasher for data of known length.

use super::feed::{Digests, Feed};
use super::tree::Tree;
use super::{
    Backend, BlockHasher, Error, Fault, Geometry, HashPlacement, HashSink, Params, RootOnly,
    Sealed, TreeDigest,
};

/// Hashes data of known length as it streams by, and emits hash blocks as they fill.
///
/// Needs a few hash blocks of memory a level, at most 64 KiB or one hash block each, however long
/// the data. Data, runs of zeros and ready digests may be mixed; chunking does not matter. A clone
/// is a checkpoint. After a [`Fault::Caller`] a hasher is of no more use.
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{Geometry, Hasher, HashBytes, Params, HashPlacement};
///
/// let geometry = Geometry::new(&Params::nydus(), 1 << 20, HashPlacement::OwnFile)?;
/// let mut hasher = Hasher::new(geometry);
/// let mut tree = HashBytes::default();
/// hasher.push(b"some data", &mut tree)?;
/// hasher.push_zeros((1 << 20) - 9, &mut tree)?;
/// let sealed = hasher.finish(&mut tree)?;
/// assert_eq!(tree.bytes.len() as u64, sealed.geometry().end());
/// assert_eq!(sealed.root().to_string().len(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Hasher {
    feed: Feed,
    tree: Tree,
}

impl Hasher {
    /// A hasher of a tree with this geometry.
    pub fn new(geometry: Geometry) -> Self {
        let hasher = BlockHasher::of(geometry.params());
        Self { feed: Feed::new(hasher, geometry.data_block()), tree: Tree::new(geometry, 0) }
    }

    /// The same on another [`Backend`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.feed.hasher = self.feed.hasher.with_backend(backend);
        self
    }

    /// The geometry of the tree.
    pub fn geometry(&self) -> &Geometry {
        self.tree.geometry()
    }

    /// Bytes of data hashed so far, ready digests counted as their blocks.
    pub fn position(&self) -> u64 {
        (self.tree.leaves() << self.feed.block().bits()) + self.feed.partial() as u64
    }

    /// Hashes the next bytes of the data.
    ///
    /// Blocks of one call are hashed side by side, so 64 KiB or more at a time are fast; what is
    /// shorter than a few blocks is hashed one by one.
    ///
    /// # Errors
    /// [`Error::TooMuchData`], before anything is hashed; the sink's own.
    pub fn push<S: HashSink>(&mut self, data: &[u8], sink: &mut S) -> Result<(), Fault<S::Error>> {
        self.expect(data.len() as u64)?;
        self.feed.push(data, &mut Grow { tree: &mut self.tree, sink })
    }

    /// Hashes the next `bytes` bytes, all zero: each whole block costs a copy of its digest.
    ///
    /// # Errors
    /// As [`Hasher::push`].
    pub fn push_zeros<S: HashSink>(
        &mut self,
        bytes: u64,
        sink: &mut S,
    ) -> Result<(), Fault<S::Error>> {
        self.expect(bytes)?;
        self.feed.push_zeros(bytes, &mut Grow { tree: &mut self.tree, sink })
    }

    /// Takes the digests of the next data blocks, each as long as the algorithm has them, hashed elsewhere
    /// with the same data block size, algorithm and salt: on other threads by [`BlockHasher::hash_blocks`], or earlier by
    /// [`Leaves`](super::Leaves).
    ///
    /// # Errors
    /// [`Error::DigestLength`]; [`Error::MidBlock`] if a data block is half full;
    /// [`Error::TooMuchData`]; the sink's own.
    pub fn push_digests<S: HashSink>(
        &mut self,
        digests: &[u8],
        sink: &mut S,
    ) -> Result<(), Fault<S::Error>> {
        let blocks = self.feed.check_digests(digests, self.position())?;
        self.expect(blocks << self.feed.block().bits())?;
        self.feed.push_digests(digests, &mut Grow { tree: &mut self.tree, sink })
    }

    /// Closes the tree; the superblock, if there is one, is put last.
    ///
    /// # Errors
    /// [`Error::TooLittleData`]; the sink's own.
    pub fn finish<S: HashSink>(self, sink: &mut S) -> Result<Sealed, Fault<S::Error>> {
        let (bytes, expected) = (self.position(), self.geometry().data_bytes());
        if bytes != expected {
            return Err(Error::TooLittleData { bytes, expected }.into());
        }
        self.tree.seal(&self.feed.hasher, sink)
    }

    /// The root hash of `data` alone, no tree kept.
    ///
    /// # Errors
    /// [`Error::NoData`], [`Error::DataTail`].
    pub fn root(params: &Params, data: &[u8]) -> Result<TreeDigest, Error> {
        let geometry = Geometry::new(params, data.len() as u64, HashPlacement::OwnFile)?;
        let mut hasher = Self::new(geometry);
        hasher.push(data, &mut RootOnly).map_err(Fault::into_error)?;
        Ok(hasher.finish(&mut RootOnly).map_err(Fault::into_error)?.root())
    }

    fn expect(&self, more: u64) -> Result<(), Error> {
        let expected = self.geometry().data_bytes();
        let bytes = self.position().saturating_add(more);
        if bytes > expected { Err(Error::TooMuchData { bytes, expected }) } else { Ok(()) }
    }
}

/// A tree with the sink of the moment.
struct Grow<'a, S> {
    tree: &'a mut Tree,
    sink: &'a mut S,
}

impl<S: HashSink> Digests for Grow<'_, S> {
    type Error = Fault<S::Error>;

    fn room(&mut self, blocks: u64) -> &mut [u8] {
        self.tree.room(blocks)
    }

    fn filled(&mut self, bytes: usize, hasher: &BlockHasher) -> Result<(), Self::Error> {
        self.tree.filled(bytes, hasher, self.sink)
    }
}
