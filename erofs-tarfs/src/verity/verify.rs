//! Data and tree against a root hash, in user space.

use alloc::{vec, vec::Vec};

use super::{Backend, BlockHasher, Error, Fault, Geometry, Sealed, Source, TreeDigest};

/// Data blocks hashed together.
const BATCH: usize = 64;

/// Bytes of data that [`Verifier::verify_all`] asks for at a time, one data block at least.
const PIECE: usize = 256 << 10;

/// Verifies data blocks against a root hash; asks for the hash blocks on their path, and keeps the
/// last one of each level.
///
/// Every hash block is hashed before its digests are believed, and bytes behind the last digest of
/// a level must be zero, as `veritysetup verify` demands (the kernel does not look). Going through
/// the data in order reads and hashes each hash block once.
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{Error, Fault, Geometry, HashBytes, Hasher, Params, HashPlacement, Verifier};
///
/// let mut data = vec![3; 512 * 100];
/// let geometry = Geometry::new(&Params::containerd(), data.len() as u64, HashPlacement::OwnFile)?;
/// let mut hasher = Hasher::new(geometry.clone());
/// let mut tree = HashBytes::default();
/// hasher.push(&data, &mut tree)?;
/// let root = hasher.finish(&mut tree)?.root();
///
/// let mut verifier = Verifier::new(geometry, root);
/// verifier.verify(7, &data[512 * 7..][..512], &mut &tree)?;
/// data[512 * 7] ^= 1;
/// assert_eq!(
///     verifier.verify_all(&mut &data[..], &mut &tree),
///     Err(Fault::Verity(Error::DataMismatch { block: 7, offset: 3584 })),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    hasher: BlockHasher,
    geometry: Geometry,
    root: TreeDigest,
    /// The block of each level that was verified last, level 0 first.
    path: Vec<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    index: Option<u64>,
    block: Vec<u8>,
}

impl Verifier {
    /// A verifier for data sealed in this geometry under `root`.
    pub fn new(geometry: Geometry, root: impl Into<TreeDigest>) -> Self {
        let known = Known { index: None, block: vec![0; geometry.hash_block().size()] };
        Self {
            hasher: BlockHasher::of(geometry.params()),
            path: vec![known; geometry.levels().len()],
            geometry,
            root: root.into(),
        }
    }

    /// The same on another [`Backend`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.hasher = self.hasher.with_backend(backend);
        self
    }

    /// Verifies `data`, whole data blocks of which the first has index `first`.
    ///
    /// # Errors
    /// [`Error::BlockLength`], [`Error::BlockIndex`] for a wrong call; [`Error::HashMismatch`],
    /// [`Error::SpareNotZero`], [`Error::DataMismatch`] for the first block that does not verify;
    /// the source's own.
    pub fn verify<H: Source>(
        &mut self,
        first: u64,
        data: &[u8],
        hashes: &mut H,
    ) -> Result<(), Fault<H::Error>> {
        let (size, data_blocks) = (self.geometry.data_block(), self.geometry.data_blocks());
        if !size.divides(data.len() as u64) {
            return Err(Error::BlockLength { bytes: data.len(), block: size.bytes() }.into());
        }
        let blocks = (data.len() >> size.bits()) as u64;
        if first > data_blocks || blocks > data_blocks - first {
            let block = first.max(data_blocks);
            return Err(Error::BlockIndex { block, data_blocks }.into());
        }
        let mut block = first;
        let len = self.hasher.digest_len();
        let mut digests = [0; BATCH * TreeDigest::MAX];
        for batch in data.chunks(BATCH << size.bits()) {
            let digests = &mut digests[..(batch.len() >> size.bits()) * len];
            self.hasher.fill(size, batch, digests);
            for digest in digests.chunks_exact(len) {
                if self.digest(0, block, hashes)?.as_bytes() != digest {
                    let offset = block << size.bits();
                    return Err(Error::DataMismatch { block, offset }.into());
                }
                block += 1;
            }
        }
        Ok(())
    }

    /// Verifies all data and with it the whole tree, as `veritysetup verify` does.
    ///
    /// # Errors
    /// As [`Verifier::verify`]; the error of either source.
    pub fn verify_all<E>(
        &mut self,
        data: &mut impl Source<Error = E>,
        hashes: &mut impl Source<Error = E>,
    ) -> Result<(), Fault<E>> {
        let (bits, bytes) = (self.geometry.data_block().bits(), self.geometry.data_bytes());
        let mut piece = vec![0; PIECE.max(1 << bits)];
        let mut offset = 0;
        while offset < bytes {
            let len = (bytes - offset).min(piece.len() as u64) as usize;
            data.read_at(offset, &mut piece[..len]).map_err(Fault::Caller)?;
            self.verify(offset >> bits, &piece[..len], hashes)?;
            offset += len as u64;
        }
        Ok(())
    }

    /// The digest of child `index` of `level`, from a verified block; a data block for level 0.
    #[expect(
        clippy::expect_used,
        reason = "a hash block holds as many digests as the number is taken modulo"
    )]
    fn digest<H: Source>(
        &mut self,
        level: usize,
        index: u64,
        hashes: &mut H,
    ) -> Result<TreeDigest, Fault<H::Error>> {
        if level == self.path.len() {
            return Ok(self.root);
        }
        let len = self.hasher.digest_len();
        let fanout = u64::from(self.geometry.params().digests_per_block());
        let parent = index / fanout;
        if self.path[level].index != Some(parent) {
            self.load(level, parent, hashes)?;
        }
        let at = (index % fanout) as usize * len;
        let digest = self.path[level].block.get(at..at + len).and_then(TreeDigest::of);
        Ok(digest.expect("a digest lies inside its hash block"))
    }

    /// Reads and verifies block `index` of `level`.
    fn load<H: Source>(
        &mut self,
        level: usize,
        index: u64,
        hashes: &mut H,
    ) -> Result<(), Fault<H::Error>> {
        let expected = self.digest(level + 1, index, hashes)?;
        let bits = self.geometry.hash_block().bits();
        let offset = self.geometry.levels()[level].offset + (index << bits);
        let known = &mut self.path[level];
        known.index = None;
        hashes.read_at(offset, &mut known.block).map_err(Fault::Caller)?;
        let (block, level_number) = (index, level as u8);
        if self.hasher.hash(&known.block) != expected {
            return Err(Error::HashMismatch { level: level_number, block, offset }.into());
        }
        let len = self.hasher.digest_len() as u64;
        let used = self.geometry.children(level) * len - (index << bits);
        let used = used.min(known.block.len() as u64) as usize;
        if let Some(at) = known.block[used..].iter().position(|&byte| byte != 0) {
            let offset = offset + (used + at) as u64;
            return Err(Error::SpareNotZero { level: level_number, block, offset }.into());
        }
        known.index = Some(index);
        Ok(())
    }
}

/// What is wrong with a tree whose level 0 does not lead to the root hash: the first hash block, in
/// the order of the data, that does not verify.
pub(crate) fn first_mismatch<H: Source>(sealed: &Sealed, hashes: &mut H) -> Fault<H::Error> {
    let geometry = sealed.geometry();
    let mut verifier = Verifier::new(geometry.clone(), sealed.root());
    for index in 0..geometry.levels().first().map_or(0, |level| level.blocks) {
        let block = index * u64::from(geometry.params().digests_per_block());
        match verifier.digest(0, block, hashes) {
            // Only the digests of level 0 matter here. Whether the bytes behind the last one are
            // zeros is for whoever opens the tree to check.
            Ok(_) | Err(Fault::Verity(Error::SpareNotZero { .. })) => {}
            Err(fault) => return fault,
        }
    }
    // All blocks verify now, though a moment ago the same tree led to another root: it was changed
    // meanwhile. The topmost block stands for all of it.
    let level = geometry.levels().len().saturating_sub(1) as u8;
    Error::HashMismatch { level, block: 0, offset: geometry.tree_offset() }.into()
}
