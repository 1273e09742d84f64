//! The superblock in front of a tree, written and read as hostile input.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::geometry::SUPERBLOCK_LEN as LEN;
use super::{Algorithm, Error, Geometry, HashFormat, HashPlacement, Params, SuperblockMode, Uuid};

const MAGIC: [u8; 8] = *b"verity\0\0";

/// `struct verity_sb` of cryptsetup `lib/verity/verity.c`.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    /// `verity\0\0`.
    magic: [u8; 8],
    /// 1.
    version: U32,
    /// 0: Chrome OS, 1: normal.
    hash_type: U32,

    /// In the order in which it is written.
    uuid: [u8; 16],

    /// Lower case, NUL padded.
    algorithm: [u8; 32],

    /// In bytes.
    data_block_size: U32,
    /// In bytes.
    hash_block_size: U32,
    /// In data blocks.
    data_blocks: U64,

    /// In bytes: 0 to 256.
    salt_size: U16,
    reserved: [u8; 6],
    salt: [u8; Params::MAX_SALT],
    reserved2: [u8; 168],
}

const _: () = assert!(size_of::<Raw>() == LEN);

/// What a superblock says. The root hash is not in it.
///
/// Whoever opens a device should trust none of it that can be had elsewhere; it tells nothing
/// that the root hash, checked against other parameters, would not refuse.
///
/// # References
/// [Verity superblock format][wiki], cryptsetup's wiki.
///
/// [wiki]: https://gitlab.com/cryptsetup/cryptsetup/-/wikis/DMVerity#verity-superblock-format
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{Params, Superblock, Uuid};
///
/// let bytes = Superblock::new(Params::containerd(), 1 << 20, Uuid([7; 16]))?.to_bytes();
/// let read = Superblock::parse(&bytes)?;
/// assert_eq!((read.data_blocks(), read.params().salt()), (1 << 20, &[0; 32][..]));
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    params: Params,
    data_blocks: u64,
    uuid: Uuid,
}

impl Superblock {
    /// Length of a superblock in bytes: the rest of its hash block is zero.
    pub const LEN: usize = LEN;

    /// A superblock for `data_blocks` blocks with these parameters and this UUID.
    ///
    /// # Errors
    /// [`Error::NilUuid`], [`Error::NoData`], [`Error::TooLarge`].
    pub fn new(params: Params, data_blocks: u64, uuid: Uuid) -> Result<Self, Error> {
        let params = params.with_superblock(SuperblockMode::Uuid(uuid))?;
        let superblock = Self { params, data_blocks, uuid };
        superblock.geometry(HashPlacement::OwnFile)?;
        Ok(superblock)
    }

    /// Reads a superblock from the first 512 of `bytes`.
    ///
    /// Like veritysetup it ignores reserved bytes, and what stands behind the salt; unlike it, it
    /// knows SHA-256 and SHA-512 only. A nil UUID is accepted.
    ///
    /// # Errors
    /// [`Error::SuperblockShort`], [`Error::SuperblockMagic`], [`Error::SuperblockVersion`],
    /// [`Error::HashType`], [`Error::Algorithm`], [`Error::BlockSize`], [`Error::SaltLength`];
    /// [`Error::NoData`] and [`Error::TooLarge`] if the blocks it states cannot be.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Ok((raw, _)) = Raw::ref_from_prefix(bytes) else {
            return Err(Error::SuperblockShort { bytes: bytes.len() });
        };
        if raw.magic != MAGIC {
            return Err(Error::SuperblockMagic);
        }
        if raw.version != 1 {
            return Err(Error::SuperblockVersion { version: raw.version.get() });
        }
        let hash_type = raw.hash_type.get();
        let format = HashFormat::of_number(hash_type).ok_or(Error::HashType { hash_type })?;
        let name = raw.algorithm;
        let text = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let algorithm = core::str::from_utf8(text).ok().and_then(Algorithm::named);
        let algorithm = algorithm.ok_or(Error::Algorithm { name })?;
        let bytes = usize::from(raw.salt_size.get());
        let salt = raw.salt.get(..bytes).ok_or(Error::SaltLength { bytes })?;
        let uuid = Uuid(raw.uuid);
        let mode = match uuid.is_nil() {
            true => SuperblockMode::Derived,
            false => SuperblockMode::Uuid(uuid),
        };
        let (data, hash) = (raw.data_block_size.get(), raw.hash_block_size.get());
        let params = Params::new(data, hash, salt, mode)?;
        let params = params.with_algorithm(algorithm).with_format(format);
        let superblock = Self { params, data_blocks: raw.data_blocks.get(), uuid };
        superblock.geometry(HashPlacement::OwnFile)?;
        Ok(superblock)
    }

    /// The 512 bytes to write.
    pub fn to_bytes(&self) -> [u8; LEN] {
        let salt = self.params.salt();
        let mut raw = Raw {
            magic: MAGIC,
            version: 1.into(),
            hash_type: self.params.format().number().into(),
            uuid: self.uuid.0,
            algorithm: [0; 32],
            data_block_size: self.params.data_block().bytes().into(),
            hash_block_size: self.params.hash_block().bytes().into(),
            data_blocks: self.data_blocks.into(),
            salt_size: (salt.len() as u16).into(),
            reserved: [0; 6],
            salt: [0; Params::MAX_SALT],
            reserved2: [0; 168],
        };
        let name = self.params.algorithm().name().as_bytes();
        raw.algorithm[..name.len()].copy_from_slice(name);
        raw.salt[..salt.len()].copy_from_slice(salt);
        zerocopy::transmute!(raw)
    }

    /// The parameters it states.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// How many data blocks it states.
    pub fn data_blocks(&self) -> u64 {
        self.data_blocks
    }

    /// Its UUID, perhaps nil.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The geometry it implies.
    ///
    /// # Errors
    /// As of [`Geometry::new`].
    pub fn geometry(&self, placement: HashPlacement) -> Result<Geometry, Error> {
        let bytes = (self.data_blocks)
            .checked_mul(self.params.data_block().bytes().into())
            .ok_or(Error::TooLarge { data_blocks: self.data_blocks })?;
        Geometry::new(&self.params, bytes, placement)
    }
}
