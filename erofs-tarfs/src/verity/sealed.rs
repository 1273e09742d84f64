//! The outcome: everything that is needed to open, verify or publish what was hashed.

use alloc::{vec, vec::Vec};

use super::{Geometry, Params, Superblock, SuperblockMode, TreeDigest, Uuid};

/// Geometry, with its parameters, and root hash of finished data.
///
/// Its texts (command lines, the kernel's table line, JSON) are in plain form, and have only names that you
/// pass.
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{Digest, Geometry, Params, HashPlacement, Sealed};
///
/// let geometry = Geometry::new(&Params::nydus(), 194518016, HashPlacement::BehindData)?;
/// let sealed = Sealed::new(geometry, Digest([0xab; 32]));
/// assert!(sealed.nydus_label().starts_with("379918,194519040,sha256:abab"));
/// assert!(sealed.table_line("/dev/loop0", "/dev/loop0").starts_with(
///     "0 379918 verity 1 /dev/loop0 /dev/loop0 512 4096 379918 47490 sha256 abab"
/// ));
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    geometry: Geometry,
    root: TreeDigest,
}

impl Sealed {
    /// What is known of sealed data.
    pub fn new(geometry: Geometry, root: impl Into<TreeDigest>) -> Self {
        Self { geometry, root: root.into() }
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        self.geometry.params()
    }

    /// The geometry.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The root hash. Its text, 64 lower-case hex digits (128 of SHA-512) without a newline, is also what a
    /// root-hash signature signs.
    pub fn root(&self) -> TreeDigest {
        self.root
    }

    /// The UUID of the superblock, if there is one: the caller's, or one that follows from the
    /// root hash.
    pub fn uuid(&self) -> Option<Uuid> {
        match self.params().superblock() {
            SuperblockMode::None => None,
            SuperblockMode::Derived => Some(Uuid::derive(self.root.as_bytes())),
            SuperblockMode::Uuid(uuid) => Some(uuid),
        }
    }

    /// The superblock, if there is one.
    pub fn superblock(&self) -> Option<Superblock> {
        let uuid = self.uuid()?;
        Superblock::new(self.params().clone(), self.geometry.data_blocks(), uuid).ok()
    }

    /// The byte offset of the superblock, and its bytes with the zeros from it to the tree.
    /// [`Hasher::finish`](super::Hasher::finish) puts them.
    pub fn superblock_area(&self) -> Option<(u64, Vec<u8>)> {
        let offset = self.geometry.superblock_offset()?;
        let mut area = vec![0; (self.geometry.tree_offset() - offset) as usize];
        area[..Superblock::LEN].copy_from_slice(&self.superblock()?.to_bytes());
        Some((offset, area))
    }
}
