//! Blocks to digests: `SHA-256(salt || block)`, or SHA-512, or with the salt behind the block.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256, Sha512};

use super::{
    Algorithm, Backend, Digest, Error, HashFormat, Params, TreeDigest, VerityBlockSize, lanes,
};

/// Hashes blocks of any size with one salt.
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{BlockHasher, VerityBlockSize};
///
/// let hasher = BlockHasher::new(b"salt")?;
/// let mut digests = [0; 2 * 32];
/// hasher.hash_blocks(VerityBlockSize::B512, &[0; 1024], &mut digests)?;
/// assert_eq!(digests[..32], digests[32..]);
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BlockHasher {
    salt: Vec<u8>,
    /// The state in front of each block.
    front: Front,
    /// Whether the salt is hashed behind a block instead, and there is one.
    behind: bool,
    backend: Backend,
}

/// The state of a hash, with what is in front of each block in it.
#[derive(Clone, Debug)]
enum Front {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl BlockHasher {
    /// A hasher of SHA-256, format 1, with a salt of 0 to 256 bytes, on the best backend.
    ///
    /// # Errors
    /// [`Error::SaltLength`].
    pub fn new(salt: &[u8]) -> Result<Self, Error> {
        match salt.len() <= Params::MAX_SALT {
            true => Ok(Self::salted(salt, Algorithm::Sha256, HashFormat::Normal)),
            false => Err(Error::SaltLength { bytes: salt.len() }),
        }
    }

    /// A hasher with algorithm, format and salt of `params`, on the best backend.
    pub fn of(params: &Params) -> Self {
        Self::salted(params.salt(), params.algorithm(), params.format())
    }

    fn salted(salt: &[u8], algorithm: Algorithm, format: HashFormat) -> Self {
        let behind = format == HashFormat::ChromeOs && !salt.is_empty();
        let prefix = if behind { &[] } else { salt };
        let front = match algorithm {
            Algorithm::Sha256 => Front::Sha256(Sha256::new_with_prefix(prefix)),
            Algorithm::Sha512 => Front::Sha512(Sha512::new_with_prefix(prefix)),
        };
        Self { salt: salt.to_vec(), front, behind, backend: Backend::best() }
    }

    /// Whether lanes can be used: they have SHA-256 with the salt in front.
    pub(super) fn has_lanes(&self) -> bool {
        matches!(self.front, Front::Sha256(_)) && !self.behind
    }

    /// Whether blocks have the digests that trees of these parameters have of them.
    pub(super) fn is_of(&self, params: &Params) -> bool {
        let behind = params.format() == HashFormat::ChromeOs && !params.salt().is_empty();
        self.salt == params.salt()
            && self.behind == behind
            && self.digest_len() == params.digest_len()
    }

    /// Length of a digest in bytes.
    pub fn digest_len(&self) -> usize {
        match &self.front {
            Front::Sha256(_) => Algorithm::Sha256.digest_len(),
            Front::Sha512(_) => Algorithm::Sha512.digest_len(),
        }
    }

    /// The same on another backend; one that is not available here is not used. What is neither SHA-256 nor salted in
    /// front has no lanes: it is hashed one block after the other on any.
    #[must_use]
    pub fn with_backend(self, backend: Backend) -> Self {
        let backend = if backend.is_available() { backend } else { Backend::Sha2 };
        Self { backend, ..self }
    }

    /// The backend in use.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The salt.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The digest of one block.
    pub fn hash<'a>(&'a self, block: &'a [u8]) -> TreeDigest {
        self.hash_pieces([block])
    }

    /// The digest of the pieces of a block.
    fn hash_pieces<'a>(&'a self, pieces: impl IntoIterator<Item = &'a [u8]>) -> TreeDigest {
        let behind = if self.behind { &self.salt[..] } else { &[] };
        let pieces = pieces.into_iter().chain([behind]);
        match &self.front {
            Front::Sha256(front) => {
                let hash = pieces.fold(front.clone(), |hash, piece| hash.chain_update(piece));
                Digest(hash.finalize().into()).into()
            }
            Front::Sha512(front) => {
                let hash = pieces.fold(front.clone(), |hash, piece| hash.chain_update(piece));
                <[u8; 64]>::from(hash.finalize()).into()
            }
        }
    }

    /// The digest of a block of zeros.
    pub fn hash_zeros(&self, block: VerityBlockSize) -> TreeDigest {
        self.hash_pieces((0..block.size() / 512).map(|_| &[0; 512][..]))
    }

    /// The digests of the blocks in `data`, each of [`digest_len`](Self::digest_len) bytes,
    /// written to `digests` in order.
    ///
    /// # Errors
    /// [`Error::BlockLength`] if `data` is not whole blocks; [`Error::DigestLength`] if `digests`
    /// is not as long as those of all. Nothing is written then.
    pub fn hash_blocks(
        &self,
        block: VerityBlockSize,
        data: &[u8],
        digests: &mut [u8],
    ) -> Result<(), Error> {
        let (blocks, tail) = (data.len() / block.size(), data.len() % block.size());
        if tail != 0 {
            return Err(Error::BlockLength { bytes: data.len(), block: block.bytes() });
        }
        let len = self.digest_len();
        if !digests.len().is_multiple_of(len) || digests.len() / len != blocks {
            return Err(Error::DigestLength { bytes: digests.len() });
        }
        self.fill(block, data, digests);
        Ok(())
    }

    /// [`BlockHasher::fill`], and the same bytes into the state of a stream, if there is one; as
    /// fast as can be where [`lanes::hashes_along`].
    pub(super) fn fill_along(
        &self,
        block: VerityBlockSize,
        data: &[u8],
        digests: &mut [u8],
        stream: Option<&mut lanes::State>,
    ) {
        let Some(stream) = stream else { return self.fill(block, data, digests) };
        debug_assert!(self.has_lanes(), "nothing else is hashed along");
        debug_assert_eq!(data.len() / block.size(), digests.len() / Digest::LEN);
        let whole = digests.as_chunks_mut().0;
        if !lanes::hash_along(self.backend, &self.salt, block.size(), data, whole, stream) {
            data.as_chunks().0.iter().for_each(|piece| lanes::compress(stream, piece));
            self.fill(block, data, digests);
        }
    }

    /// [`BlockHasher::hash_blocks`] where the lengths are known to fit.
    pub(super) fn fill(&self, block: VerityBlockSize, data: &[u8], digests: &mut [u8]) {
        let len = self.digest_len();
        debug_assert_eq!(data.len() / block.size(), digests.len() / len);
        let done = match self.has_lanes() {
            false => 0,
            true => {
                let digests = digests.as_chunks_mut().0;
                lanes::hash(self.backend, &self.salt, block.size(), data, digests)
            }
        };
        let rest = data.chunks_exact(block.size()).zip(digests.chunks_exact_mut(len)).skip(done);
        rest.for_each(|(block, digest)| digest.copy_from_slice(self.hash(block).as_bytes()));
    }
}
