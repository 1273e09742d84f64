//! GUIDs that follow from what they name.

use super::Placed;
use crate::verity::Uuid;
use alloc::collections::BTreeMap;
use sha2::{Digest, Sha256};

/// GUIDs of partitions: no two are the same.
#[derive(Debug, Default)]
pub(super) struct Guids {
    /// How often a GUID was the first choice.
    seen: BTreeMap<[u8; 16], u32>,
}

impl Guids {
    pub(super) fn partition(&mut self, identity: &[u8]) -> Uuid {
        let hash = Sha256::new().chain_update(b"erofs-tarfs gpt partition").chain_update(identity);
        let first = version_8(hash.clone());
        let seen = self.seen.entry(first.0).or_default();
        *seen += 1;
        match *seen {
            1 => first,
            // The same content again.
            count => version_8(hash.chain_update(count.to_le_bytes())),
        }
    }
}

/// The GUID of a disk: of what its partitions are, and where.
pub(super) fn disk(partitions: &[Placed]) -> Uuid {
    let hash = Sha256::new().chain_update(b"erofs-tarfs gpt disk");
    version_8(partitions.iter().fold(hash, |hash, partition| {
        hash.chain_update(partition.guid.0)
            .chain_update(partition.offset.to_le_bytes())
            .chain_update(partition.bytes.to_le_bytes())
    }))
}

/// The beginning of a hash as a UUID of version 8 (RFC 9562).
fn version_8(hash: Sha256) -> Uuid {
    let hash = hash.finalize();
    let mut bytes: [u8; 16] = core::array::from_fn(|i| hash[i]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Uuid(bytes)
}

/// A UUID as tables store it: the first three fields with their low bytes first.
pub(super) fn mixed_endian(uuid: Uuid) -> [u8; 16] {
    let mut bytes = uuid.0;
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}
