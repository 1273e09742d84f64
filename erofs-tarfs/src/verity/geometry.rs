//! Where everything lies, known before anything is hashed.

use super::{Error, Params, VerityBlockSize};

/// Length of a superblock in bytes.
pub(super) const SUPERBLOCK_LEN: usize = 512;

/// Where the hash area (superblock if any, and tree) goes.
///
/// ```
/// use erofs_tarfs::verity::{Geometry, Params, HashPlacement};
///
/// // 300 blocks of 512 bytes; hash blocks have 4096 bytes here.
/// let offset = |place| Ok(Geometry::new(&Params::nydus(), 300 * 512, place)?.hash_offset());
/// assert_eq!(offset(HashPlacement::OwnFile)?, 0);
/// assert_eq!(offset(HashPlacement::BehindData)?, 155_648); // 153,600 bytes, filled up to 38 * 4096
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashPlacement {
    /// In a file of its own, from byte 0.
    OwnFile,
    /// In the file of the data, at the first multiple of both block sizes behind it.
    BehindData,
    /// In the file of the data, at this byte offset. With a superblock any multiple of 512 will do
    /// and the tree starts at the next hash block after the superblock; without one the offset
    /// must be a multiple of the hash block.
    At(u64),
}

/// One level of a tree.
///
/// ```
/// use erofs_tarfs::verity::{Geometry, Params, HashPlacement};
///
/// // A hash block of 4096 bytes holds 128 digests: 300 data blocks need 3 of them, and those one more.
/// let geometry = Geometry::new(&Params::nydus(), 300 * 512, HashPlacement::OwnFile)?;
/// let levels: Vec<_> = geometry.levels().iter().map(|level| (level.offset, level.blocks)).collect();
/// assert_eq!(levels, [(4096, 3), (0, 1)]); // the root's block stands first
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Level {
    /// Byte offset of its first hash block in the hash file.
    pub offset: u64,
    /// How many hash blocks it has.
    pub blocks: u64,
}

/// Parameters and every size and offset of a tree: a report that costs no hashing.
///
/// # References
/// `hash_levels` and `VERITY_hash_offset_block` in cryptsetup `lib/verity/`; "Hash Tree" in Linux
/// `Documentation/admin-guide/device-mapper/verity.rst`.
///
/// # Examples
/// The published Nydus example, to the byte:
/// ```
/// use erofs_tarfs::verity::{Geometry, Params, HashPlacement};
///
/// let geometry = Geometry::new(&Params::nydus(), 194518016, HashPlacement::BehindData)?;
/// assert_eq!(geometry.data_blocks(), 379918);
/// assert_eq!(geometry.hash_offset(), 194519040);
/// assert!(geometry.levels().iter().map(|level| level.blocks).eq([2969, 24, 1]));
/// assert_eq!(geometry.end(), 206782464);
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    params: Params,
    data_blocks: u64,
    same_file: bool,
    hash_offset: u64,
    tree_offset: u64,
    count: u8,
    levels: [Level; MAX_LEVELS],
}

/// 2^54 data blocks of 512 bytes at 8 digests of SHA-512 a hash block make 18 levels; 20 is more than any.
const MAX_LEVELS: usize = 20;

/// No offset is past this: the largest `off_t`.
const MAX_OFFSET: u64 = i64::MAX as u64;

impl Geometry {
    /// The geometry of a tree over `data_bytes` bytes.
    ///
    /// # Errors
    /// [`Error::NoData`]; [`Error::DataTail`] if the data is not whole data blocks (see
    /// [`Params::data_padding`]); [`Error::HashOffset`] for an unaligned hash offset, which
    /// veritysetup without superblock would round down, into the data; [`Error::HashOverData`];
    /// [`Error::TooLarge`].
    pub fn new(params: &Params, data_bytes: u64, placement: HashPlacement) -> Result<Self, Error> {
        let (data_block, hash_block) = (params.data_block(), params.hash_block());
        if data_bytes == 0 {
            return Err(Error::NoData);
        }
        if !data_block.divides(data_bytes) {
            return Err(Error::DataTail { bytes: data_bytes, block: data_block.bytes() });
        }
        let data_blocks = data_bytes >> data_block.bits();
        let too_large = Error::TooLarge { data_blocks };
        if data_bytes > MAX_OFFSET {
            return Err(too_large);
        }
        let hash_offset = match placement {
            HashPlacement::OwnFile => 0,
            // Cannot overflow: the data ends at or below 2^63.
            HashPlacement::BehindData => data_bytes + params.hash_padding(data_bytes),
            HashPlacement::At(offset) if offset < data_bytes => {
                return Err(Error::HashOverData { offset, data_bytes });
            }
            HashPlacement::At(offset) => offset,
        };
        let multiple = match params.has_superblock() {
            true => SUPERBLOCK_LEN as u32,
            false => hash_block.bytes(),
        };
        if hash_offset % u64::from(multiple) != 0 {
            return Err(Error::HashOffset { offset: hash_offset, multiple });
        }
        let tree_offset = match params.has_superblock() {
            true => hash_offset
                .checked_add(SUPERBLOCK_LEN as u64)
                .and_then(|end| hash_block.round_up(end))
                .ok_or(too_large)?,
            false => hash_offset,
        };
        // A tree of one data block has no levels, which would be checked below.
        if tree_offset > MAX_OFFSET {
            return Err(too_large);
        }

        let mut levels = [Level::default(); MAX_LEVELS];
        let mut count = 0;
        let mut nodes = data_blocks;
        while nodes > 1 {
            nodes = nodes.div_ceil(params.digests_per_block().into());
            levels[count].blocks = nodes;
            count += 1;
        }
        // On disk the highest level comes first.
        let mut end = tree_offset;
        for level in levels[..count].iter_mut().rev() {
            level.offset = end;
            end = (level.blocks.checked_mul(hash_block.bytes().into()))
                .and_then(|bytes| end.checked_add(bytes))
                .filter(|&end| end <= MAX_OFFSET)
                .ok_or(too_large)?;
        }
        Ok(Self {
            params: params.clone(),
            data_blocks,
            same_file: placement != HashPlacement::OwnFile,
            hash_offset,
            tree_offset,
            count: count as u8,
            levels,
        })
    }

    /// The parameters it was made from.
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The size of a data block.
    pub const fn data_block(&self) -> VerityBlockSize {
        self.params.data_block()
    }

    /// The size of a hash block.
    pub const fn hash_block(&self) -> VerityBlockSize {
        self.params.hash_block()
    }

    /// How many data blocks the tree covers: at least 1.
    pub const fn data_blocks(&self) -> u64 {
        self.data_blocks
    }

    /// How many bytes of data the tree covers.
    pub const fn data_bytes(&self) -> u64 {
        self.data_blocks << self.data_block().bits()
    }

    /// Whether data and hash area are in one file.
    pub const fn same_file(&self) -> bool {
        self.same_file
    }

    /// Byte offset of the hash area in its file, as `veritysetup --hash-offset` takes it: of the
    /// superblock, or of the tree if there is none.
    pub const fn hash_offset(&self) -> u64 {
        self.hash_offset
    }

    /// Byte offset of the superblock in the hash file, if there is one.
    pub const fn superblock_offset(&self) -> Option<u64> {
        if self.params.has_superblock() { Some(self.hash_offset) } else { None }
    }

    /// Byte offset of the tree in the hash file: a multiple of the hash block.
    pub const fn tree_offset(&self) -> u64 {
        self.tree_offset
    }

    /// The tree's offset in hash blocks, as the kernel's table line takes it.
    pub const fn hash_start(&self) -> u64 {
        self.tree_offset >> self.hash_block().bits()
    }

    /// The levels, the one just above the data first; the last has one block. Empty for a single
    /// data block, whose digest is the root hash.
    pub fn levels(&self) -> &[Level] {
        &self.levels[..usize::from(self.count)]
    }

    /// Length of the tree in bytes: 0 for a single data block.
    pub fn tree_bytes(&self) -> u64 {
        self.levels().iter().map(|level| level.blocks << self.hash_block().bits()).sum()
    }

    /// Byte offset in the hash file of the end of the hash area; with data and hashes in one file
    /// this is the file's size.
    pub fn end(&self) -> u64 {
        self.tree_offset + self.tree_bytes()
    }

    /// How many digests stand in the hash blocks of `level`: its children.
    pub(super) fn children(&self, level: usize) -> u64 {
        match level {
            0 => self.data_blocks,
            _ => self.levels[level - 1].blocks,
        }
    }
}
