//! The upper levels of a tree whose lowest level is made in pieces, on threads that the caller has.

use super::tree::Tree;
use super::{Backend, BlockHasher, Error, Fault, Geometry, HashSink, Sealed};

/// Closes a tree from the digests of the hash blocks of level 0.
///
/// Level 0 is the digests of the data blocks one after the other, filled up with zeros at the end:
/// any piece of it that is whole hash blocks can be made, hashed and written apart from the others
/// by whoever has the data, with [`BlockHasher::hash_blocks`]. This does the rest, in order.
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{BlockHasher, Geometry, HashBytes, Params, HashPlacement, Upper};
///
/// let (params, data) = (Params::containerd(), vec![1; 512 * 32]);
/// let geometry = Geometry::new(&params, data.len() as u64, HashPlacement::OwnFile)?;
/// let hasher = BlockHasher::of(&params);
/// let mut tree = HashBytes::default();
/// let mut upper = Upper::new(geometry.clone())?;
/// for piece in data.chunks(512 * 16) {
///     let (mut block, mut digest) = ([0; 512], [0; 32]);
///     hasher.hash_blocks(params.data_block(), piece, &mut block)?;
///     hasher.hash_blocks(params.hash_block(), &block, &mut digest)?;
///     // `block` goes to level 0 of the file, here it is dropped.
///     upper.push(&digest, &mut tree)?;
/// }
/// let sealed = upper.finish(&mut tree)?;
/// assert_eq!(sealed.root(), erofs_tarfs::verity::Hasher::root(&params, &data)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Upper {
    hasher: BlockHasher,
    tree: Tree,
}

impl Upper {
    /// The upper levels of this geometry.
    ///
    /// # Errors
    /// [`Error::NoLevels`] for a single data block, above which there is no hash block.
    pub fn new(geometry: Geometry) -> Result<Self, Error> {
        match geometry.levels().is_empty() {
            true => Err(Error::NoLevels),
            false => Ok(Self {
                hasher: BlockHasher::of(geometry.params()),
                tree: Tree::new(geometry, 1),
            }),
        }
    }

    /// The same on another [`Backend`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.hasher = self.hasher.with_backend(backend);
        self
    }

    /// Takes the digests of the next hash blocks of level 0, each as long as the algorithm has them.
    ///
    /// # Errors
    /// [`Error::DigestLength`]; [`Error::TooMuchData`]; the sink's own.
    pub fn push<S: HashSink>(
        &mut self,
        mut digests: &[u8],
        sink: &mut S,
    ) -> Result<(), Fault<S::Error>> {
        let len = self.hasher.digest_len();
        if !digests.len().is_multiple_of(len) {
            return Err(Error::DigestLength { bytes: digests.len() }.into());
        }
        let more = (digests.len() / len) as u64;
        if more > self.expected() - self.tree.leaves() {
            return Err(self
                .count(self.tree.leaves() + more, |bytes, expected| Error::TooMuchData {
                    bytes,
                    expected,
                })
                .into());
        }
        while !digests.is_empty() {
            let room = self.tree.room((digests.len() / len) as u64);
            let (now, rest) = digests.split_at(room.len());
            room.copy_from_slice(now);
            self.tree.filled(now.len(), &self.hasher, sink)?;
            digests = rest;
        }
        Ok(())
    }

    /// Closes the tree; the superblock, if there is one, is put last.
    ///
    /// # Errors
    /// [`Error::TooLittleData`]; the sink's own.
    pub fn finish<S: HashSink>(self, sink: &mut S) -> Result<Sealed, Fault<S::Error>> {
        if self.tree.leaves() != self.expected() {
            return Err(self
                .count(self.tree.leaves(), |bytes, expected| Error::TooLittleData {
                    bytes,
                    expected,
                })
                .into());
        }
        self.tree.seal(&self.hasher, sink)
    }

    fn expected(&self) -> u64 {
        self.tree.geometry().levels()[0].blocks
    }

    /// An error about `blocks` hash blocks of level 0, in bytes of data.
    fn count(&self, blocks: u64, error: impl FnOnce(u64, u64) -> Error) -> Error {
        let geometry = self.tree.geometry();
        let per_block =
            u64::from(geometry.params().digests_per_block()) << geometry.data_block().bits();
        error(blocks.saturating_mul(per_block), geometry.data_bytes())
    }
}
