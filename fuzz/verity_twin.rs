//! dm-verity once more, in the shortest way: no lanes, no threads, no stream, no limits.

use sha2::{Digest, Sha256};

/// What a hash tree is made with.
pub struct Sizes<'a> {
    /// Bytes of a data block.
    pub data_block: usize,
    /// Bytes of a hash block.
    pub hash_block: usize,
    /// What is hashed in front of every block.
    pub salt: &'a [u8],
}

/// The root hash, and the bytes of the tree, of data that is whole blocks.
pub fn tree(sizes: &Sizes<'_>, data: &[u8]) -> ([u8; 32], Vec<u8>) {
    let digests = |bytes: &[u8], block: usize| -> Vec<u8> {
        let of = |block| Sha256::new().chain_update(sizes.salt).chain_update(block).finalize();
        bytes.chunks(block).flat_map(|block| <[u8; 32]>::from(of(block))).collect()
    };
    let (mut level, mut tree) = (digests(data, sizes.data_block), Vec::new());
    while level.len() > 32 {
        level.resize(level.len().next_multiple_of(sizes.hash_block), 0);
        let above = digests(&level, sizes.hash_block);
        tree = [level, tree].concat();
        level = above;
    }
    (level.try_into().expect("one digest"), tree)
}

/// Sizes, data blocks, salt and UUID by a superblock, if it says what a device could be made of.
pub fn superblock(bytes: &[u8]) -> Option<(Sizes<'_>, u64, [u8; 16])> {
    let bytes = bytes.get(..512)?;
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let salt = &bytes[88..344];
    if &bytes[..8] != b"verity\0\0" || number(8) != 1 || number(12) > 1 {
        return None;
    }
    let digest_len = match &bytes[32..39] {
        b"sha256\0" => 32,
        b"sha512\0" => 64,
        _ => return None,
    };
    let is_size = |size: u32| size.is_power_of_two() && (512..=512 << 10).contains(&size);
    let sizes = Sizes {
        data_block: number(64) as usize,
        hash_block: number(68) as usize,
        salt: salt.get(..(number(80) & 0xffff) as usize)?,
    };
    if !is_size(number(64)) || !is_size(number(68)) {
        return None;
    }
    let blocks = u64::from_le_bytes(bytes[72..80].try_into().expect("eight bytes"));
    let mut level = u128::from(blocks);
    if level == 0 || level * sizes.data_block as u128 > i64::MAX as u128 {
        return None;
    }
    // Behind the superblock, in a file of its own.
    let mut end = sizes.hash_block as u128;
    while level > 1 {
        level = level.div_ceil(sizes.hash_block as u128 / digest_len);
        end += level * sizes.hash_block as u128;
    }
    let uuid = bytes[16..32].try_into().expect("16 bytes");
    (end <= i64::MAX as u128).then_some((sizes, blocks, uuid))
}
