//! Blocks to digests: `SHA-256(salt || block)`.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use super::{Backend, Digest, Error, Params, VerityBlockSize, lanes};

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
    salted: Sha256,
    backend: Backend,
}

impl BlockHasher {
    /// A hasher with a salt of 0 to 256 bytes, on the best backend.
    ///
    /// # Errors
    /// [`Error::SaltLength`].
    pub fn new(salt: &[u8]) -> Result<Self, Error> {
        match salt.len() <= Params::MAX_SALT {
            true => Ok(Self::salted(salt)),
            false => Err(Error::SaltLength { bytes: salt.len() }),
        }
    }

    /// A hasher with the salt of `params`, on the best backend.
    pub fn of(params: &Params) -> Self {
        Self::salted(params.salt())
    }

    fn salted(salt: &[u8]) -> Self {
        let salted = Sha256::new_with_prefix(salt);
        Self { salt: salt.to_vec(), salted, backend: Backend::best() }
    }

    /// The same on another backend; one that is not available here is not used.
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
    pub fn hash(&self, block: &[u8]) -> Digest {
        Digest(self.salted.clone().chain_update(block).finalize().into())
    }

    /// The digest of a block of zeros.
    pub fn hash_zeros(&self, block: VerityBlockSize) -> Digest {
        let mut state = self.salted.clone();
        (0..block.size() / 512).for_each(|_| state.update([0; 512]));
        Digest(state.finalize().into())
    }

    /// The digests of the blocks in `data`, each 32 bytes, written to `digests` in order.
    ///
    /// # Errors
    /// [`Error::BlockLength`] if `data` is not whole blocks; [`Error::DigestLength`] if `digests`
    /// is not 32 bytes for each of them. Nothing is written then.
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
        if !digests.len().is_multiple_of(Digest::LEN) || digests.len() / Digest::LEN != blocks {
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
        debug_assert_eq!(data.len() / block.size(), digests.len() / Digest::LEN);
        let whole = digests.as_chunks_mut().0;
        if !lanes::hash_along(self.backend, &self.salt, block.size(), data, whole, stream) {
            data.as_chunks().0.iter().for_each(|piece| lanes::compress(stream, piece));
            self.fill(block, data, digests);
        }
    }

    /// [`BlockHasher::hash_blocks`] where the lengths are known to fit.
    pub(super) fn fill(&self, block: VerityBlockSize, data: &[u8], digests: &mut [u8]) {
        debug_assert_eq!(data.len() / block.size(), digests.len() / Digest::LEN);
        let digests = digests.as_chunks_mut().0;
        let done = lanes::hash(self.backend, &self.salt, block.size(), data, digests);
        let rest = data.chunks_exact(block.size()).zip(digests).skip(done);
        rest.for_each(|(block, digest)| *digest = self.hash(block).0);
    }
}
