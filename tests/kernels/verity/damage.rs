//! One bit of a sealed disk flipped, and who must notice: by SHA-256 of the test's own.

use std::sync::Arc;

use erofs_tarfs::verity::Params;
use sha2::{Digest, Sha256};
use testkit::dump::Tree;

use super::preset::Preset;
use crate::given::Given;
use crate::row::Damage;

/// The file whose bytes are damaged, or the hash blocks above them.
pub(super) const FILE: &str = "srv/large";
/// The byte of it that is, so far inside that no hash block on the way to the top is over another file.
pub(super) const AT: usize = 300_000;
/// So many bytes at its beginning, and from here on, must be read as they are all the same.
pub(super) const SPARED: usize = 100_000;
pub(super) const LAST: usize = 460_000;
/// So many are read at a time.
pub(super) const STEP: usize = 1000;

/// A sealed disk's bytes, or a disk and its tree one behind the other, and what checks one byte of them.
pub(super) struct Chain {
    /// Where the byte is, on the disk.
    pub(super) data: usize,
    /// Where the digest of its block is, where that of the block with this digest is, and so on to the top.
    pub(super) digests: Vec<usize>,
    data_block: usize,
    hash_block: usize,
}

impl Chain {
    /// Finds all that is over a byte by its digests, wherever they lie.
    pub(super) fn find(preset: &Preset, data: &[u8], at: usize, tree: &[u8], root: &str) -> Self {
        let params = Params::named(preset.name).expect("a preset");
        let size = |bytes: u32| bytes as usize;
        let (data_block, hash_block) =
            (size(params.data_block().bytes()), size(params.hash_block().bytes()));
        let digest_of =
            |block: &[u8]| Sha256::new().chain_update(params.salt()).chain_update(block).finalize();
        let hex =
            |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut chain = Self { data: at, digests: Vec::new(), data_block, hash_block };
        let mut digest = digest_of(&data[at / data_block * data_block..][..data_block]);
        while hex(&digest) != root {
            let found = position(tree, &digest);
            chain.digests.push(found);
            digest = digest_of(&tree[found / hash_block * hash_block..][..hash_block]);
        }
        chain
    }

    /// What the kernel says of the data block.
    pub(super) fn data_said(&self) -> String {
        format!("data block {} is corrupted", self.data / self.data_block)
    }

    /// What it says of the hash block of a level, counted from the leaves.
    pub(super) fn hash_said(&self, level: usize) -> String {
        format!("metadata block {} is corrupted", self.digests[level] / self.hash_block)
    }
}

/// Where bytes are that are nowhere else.
pub(super) fn position(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).expect("it is there")
}

/// All but the one file is shown as it is.
pub(super) fn of_the_file(given: &Given, said: String) -> Damage {
    let mut tree = Tree::clone(&given.merged);
    let node = tree.0.get_mut(FILE.as_bytes()).expect("the large file");
    node.sha256 = None;
    Damage { said, rest: Some(Arc::new(tree)) }
}

/// Nothing is shown.
pub(super) fn of_all(said: String) -> Damage {
    Damage { said, rest: None }
}
