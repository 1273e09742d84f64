//! The choices that fix a tree: block sizes, salt, superblock.

use alloc::vec::Vec;

use super::{Algorithm, Error, HashFormat, Uuid, VerityBlockSize};

/// Whether a superblock stands in front of the tree, and with what UUID.
///
/// The kernel never reads it; `veritysetup open`, containerd and go-dmverity do.
///
/// ```
/// use erofs_tarfs::verity::{Params, SuperblockMode, Uuid};
///
/// let uuid = SuperblockMode::Uuid(Uuid([7; 16]));
/// let params = Params::nydus().with_superblock(uuid)?;
/// assert_eq!(params.superblock(), uuid);
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SuperblockMode {
    /// None: whoever opens the device must bring all parameters.
    None,
    /// One, with a UUID derived from the root hash: the same data gives the same bytes.
    Derived,
    /// One, with this UUID.
    Uuid(Uuid),
}

/// Validated parameters of a hash tree: a block's digest is `SHA-256(salt || block)`, unless
/// [`with_algorithm`](Self::with_algorithm) or [`with_format`](Self::with_format) say otherwise.
///
/// # References
/// Linux `Documentation/admin-guide/device-mapper/verity.rst`; cryptsetup `veritysetup(8)` and
/// `lib/verity/`.
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{Params, SuperblockMode};
///
/// let params = Params::new(512, 4096, b"salt", SuperblockMode::None)?;
/// assert_eq!(params.digests_per_block(), 128);
/// assert_eq!(Params::named("nydus").unwrap(), Params::nydus());
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Params {
    data_block: VerityBlockSize,
    hash_block: VerityBlockSize,
    salt: Vec<u8>,
    superblock: SuperblockMode,
    algorithm: Algorithm,
    format: HashFormat,
}

impl Params {
    /// The longest salt, in bytes: the room in a superblock.
    pub const MAX_SALT: usize = 256;

    /// The names that [`Params::named`] knows.
    pub const NAMES: [&str; 4] = ["nydus", "containerd", "containerd-4k", "veritysetup"];

    /// Parameters from sizes in bytes and a salt of 0 to 256 bytes.
    ///
    /// # Errors
    /// [`Error::BlockSize`], [`Error::SaltLength`], [`Error::NilUuid`].
    pub fn new(
        data_block: u32,
        hash_block: u32,
        salt: &[u8],
        superblock: SuperblockMode,
    ) -> Result<Self, Error> {
        let size = |bytes| VerityBlockSize::new(bytes).ok_or(Error::BlockSize { bytes });
        if salt.len() > Self::MAX_SALT {
            return Err(Error::SaltLength { bytes: salt.len() });
        }
        if matches!(superblock, SuperblockMode::Uuid(uuid) if uuid.is_nil()) {
            return Err(Error::NilUuid);
        }
        Ok(Self {
            data_block: size(data_block)?,
            hash_block: size(hash_block)?,
            salt: salt.to_vec(),
            superblock,
            algorithm: Algorithm::Sha256,
            format: HashFormat::Normal,
        })
    }

    /// What Nydus and Kata's block volumes expect: 512/4096, no salt, no superblock.
    pub fn nydus() -> Self {
        Self {
            data_block: VerityBlockSize::B512,
            hash_block: VerityBlockSize::B4096,
            salt: Vec::new(),
            superblock: SuperblockMode::None,
            algorithm: Algorithm::Sha256,
            format: HashFormat::Normal,
        }
    }

    /// What containerd makes of a tar index: 512/512, salt of 32 zero bytes, superblock.
    ///
    /// containerd writes a random UUID; here it is derived, so that the bytes are reproducible.
    pub fn containerd() -> Self {
        Self {
            data_block: VerityBlockSize::B512,
            hash_block: VerityBlockSize::B512,
            salt: [0; 32].to_vec(),
            superblock: SuperblockMode::Derived,
            algorithm: Algorithm::Sha256,
            format: HashFormat::Normal,
        }
    }

    /// What containerd makes of an EROFS image of 4096-byte blocks: as [`Params::containerd`],
    /// with 4096/4096.
    pub fn containerd_4k() -> Self {
        let size = VerityBlockSize::B4096;
        Self { data_block: size, hash_block: size, ..Self::containerd() }
    }

    /// veritysetup's defaults, with a salt given by the caller where veritysetup draws a random
    /// one: 4096/4096, superblock.
    ///
    /// # Errors
    /// [`Error::SaltLength`].
    pub fn veritysetup(salt: &[u8]) -> Result<Self, Error> {
        Self::new(4096, 4096, salt, SuperblockMode::Derived)
    }

    /// A preset by its name, one of [`Params::NAMES`]; `veritysetup` comes without salt.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "nydus" => Some(Self::nydus()),
            "containerd" => Some(Self::containerd()),
            "containerd-4k" => Some(Self::containerd_4k()),
            "veritysetup" => Self::veritysetup(&[]).ok(),
            _ => None,
        }
    }

    /// The same with another superblock choice.
    ///
    /// # Errors
    /// [`Error::NilUuid`].
    pub fn with_superblock(self, superblock: SuperblockMode) -> Result<Self, Error> {
        match superblock {
            SuperblockMode::Uuid(uuid) if uuid.is_nil() => Err(Error::NilUuid),
            superblock => Ok(Self { superblock, ..self }),
        }
    }

    /// The same with another salt.
    ///
    /// # Errors
    /// [`Error::SaltLength`].
    pub fn with_salt(self, salt: &[u8]) -> Result<Self, Error> {
        match salt.len() <= Self::MAX_SALT {
            true => Ok(Self { salt: salt.to_vec(), ..self }),
            false => Err(Error::SaltLength { bytes: salt.len() }),
        }
    }

    /// The same with another hash algorithm.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// The same with the salt in another place.
    #[must_use]
    pub fn with_format(self, format: HashFormat) -> Self {
        Self { format, ..self }
    }

    /// The hash algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Where the salt goes.
    pub const fn format(&self) -> HashFormat {
        self.format
    }

    /// Length of a digest in bytes.
    pub const fn digest_len(&self) -> usize {
        self.algorithm.digest_len()
    }

    /// The size of a data block.
    pub const fn data_block(&self) -> VerityBlockSize {
        self.data_block
    }

    /// The size of a hash block.
    pub const fn hash_block(&self) -> VerityBlockSize {
        self.hash_block
    }

    /// The salt, hashed with every block of data and of the tree.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The superblock, if there is to be one.
    pub const fn superblock(&self) -> SuperblockMode {
        self.superblock
    }

    /// Whether a superblock stands in front of the tree.
    pub const fn has_superblock(&self) -> bool {
        !matches!(self.superblock, SuperblockMode::None)
    }

    /// How many digests a hash block holds.
    pub const fn digests_per_block(&self) -> u32 {
        self.hash_block.bytes() / self.algorithm.digest_len() as u32
    }

    /// How many zero bytes to append to data of `bytes` bytes before it is hashed, so that it is
    /// whole data blocks. A tail that does not fill a block would not be protected: veritysetup
    /// leaves it out without a word.
    pub const fn data_padding(&self, bytes: u64) -> u64 {
        bytes.wrapping_neg() & (self.data_block.bytes() as u64 - 1)
    }

    /// How many zero bytes to append to a file of `bytes` bytes before a hash area follows: to
    /// whole data blocks and whole hash blocks. All readers then agree where the tree starts.
    pub const fn hash_padding(&self, bytes: u64) -> u64 {
        let (data, hash) = (self.data_block.bytes(), self.hash_block.bytes());
        bytes.wrapping_neg() & (if data > hash { data } else { hash } as u64 - 1)
    }

    /// Checks that a kernel with pages of `page` bytes can open this: its data block is at most a
    /// page (`verity_ctr` in `drivers/md/dm-verity-target.c`).
    ///
    /// # Errors
    /// [`Error::DataBlockOverPage`].
    pub const fn check_page(&self, page: u32) -> Result<(), Error> {
        let block = self.data_block.bytes();
        if block > page { Err(Error::DataBlockOverPage { block, page }) } else { Ok(()) }
    }
}
