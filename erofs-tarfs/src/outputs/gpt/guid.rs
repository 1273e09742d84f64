//! GUIDs that follow from what they name.

use super::{Partition, Placed, Role};
use crate::outputs::Error;
use crate::verity::{TreeDigest, Uuid};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use sha2::{Digest, Sha256};

/// GUIDs of partitions: no two are the same.
#[derive(Debug, Default)]
struct Guids {
    /// How often a GUID was the first choice.
    seen: BTreeMap<[u8; 16], u32>,
}

/// The GUIDs of partitions, in their order. Those of a sealed volume and of its tree are the halves of
/// the root hash, as systemd looks for them; others are of version 8.
pub(super) fn partitions(partitions: &[Partition]) -> Result<Vec<Uuid>, Error> {
    let mut guids = Guids::default();
    let all =
        partitions.iter().map(|partition| match (partition.role, pair(partitions, partition)) {
            (Role::Volume(..), Some(root)) => Ok(halves(root).0),
            (Role::Tree(..), Some(root)) => Ok(halves(root).1),
            (Role::Tree(..), None) => Err(Error::Unpaired { name: partition.name.clone() }),
            _ => Ok(guids.partition(&partition.identity)),
        });
    all.collect()
}

/// The root hash that is the identity of a volume and its tree, and of nothing else that systemd finds:
/// their GUIDs would be the same.
fn pair(all: &[Partition], one: &Partition) -> Option<TreeDigest> {
    let found = |other: &&Partition| other.role != Role::Data && other.identity == one.identity;
    let mut found = all.iter().filter(found).map(|other| other.role);
    let (Some(first), Some(second), None) = (found.next(), found.next(), found.next()) else {
        return None;
    };
    match (first, second) {
        (Role::Volume(volume, architecture), Role::Tree(of, on))
        | (Role::Tree(of, on), Role::Volume(volume, architecture))
            if (volume, architecture) == (of, on) =>
        {
            TreeDigest::of(&one.identity)
        }
        _ => None,
    }
}

/// The first and the last 128 bits of a root hash.
fn halves(root: TreeDigest) -> (Uuid, Uuid) {
    let bytes = root.as_bytes();
    let half = |from: usize| Uuid(core::array::from_fn(|i| bytes[from + i]));
    (half(0), half(bytes.len() - 16))
}

impl Guids {
    fn partition(&mut self, identity: &[u8]) -> Uuid {
        let hash = Sha256::new().chain_update(b"erofs-tarfs gpt partition").chain_update(identity);
        let first = version_8(hash.clone());
        let seen = self.seen.entry(first.0).or_default();
        *seen += 1;
        match *seen {
            1 => first,
            // A partition with the same content is here already, and GUIDs must differ: its number
            // among them is hashed too.
            count => version_8(hash.chain_update(count.to_le_bytes())),
        }
    }
}

/// The GUID of a disk, made of the GUIDs, places and lengths of its partitions, and of the types of
/// those that systemd finds.
pub(super) fn disk(partitions: &[Placed]) -> Uuid {
    let hash = Sha256::new().chain_update(b"erofs-tarfs gpt disk");
    version_8(partitions.iter().fold(hash, |hash, partition| {
        let hash = hash
            .chain_update(partition.guid.0)
            .chain_update(partition.offset.to_le_bytes())
            .chain_update(partition.bytes.to_le_bytes());
        match partition.role {
            Role::Data => hash,
            role => hash.chain_update(role.partition_type().0),
        }
    }))
}

/// The beginning of a hash as a UUID of version 8 (RFC 9562).
fn version_8(hash: Sha256) -> Uuid {
    let hash = hash.finalize();
    Uuid::version_8(core::array::from_fn(|i| hash[i]))
}

/// A UUID as tables store it: the first three fields with their low bytes first.
pub(super) fn mixed_endian(uuid: Uuid) -> [u8; 16] {
    uuid::Uuid::from_bytes(uuid.0).to_bytes_le()
}
