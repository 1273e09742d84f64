//! Long prefixes of xattr names.

use crate::format::{Compat, Incompat, Superblock};
use alloc::vec::Vec;
use zerocopy::FromBytes;
use zerocopy::little_endian::U16;

/// The table of long prefixes: index of the short prefix, and what follows it in the name.
///
/// It's read where it lies in the image as it is. Without this, and from a damaged record on, there
/// are no prefixes, which is an error only for inodes that need them.
#[derive(Clone)]
pub(super) struct Prefixes<'a>(Vec<(u8, &'a [u8])>);

impl<'a> Prefixes<'a> {
    pub(super) fn new(bytes: &'a [u8], superblock: &Superblock) -> Self {
        let plain = superblock.compat().contains(Compat::PLAIN_XATTR_PFX);
        let elsewhere =
            superblock.incompat().contains(Incompat::METABOX) || superblock.packed_nid.get() != 0;
        if elsewhere && !plain {
            return Self(Vec::new());
        }
        let start = usize::try_from(4 * u64::from(superblock.xattr_prefix_start.get()));
        let mut rest = start.ok().and_then(|at| bytes.get(at..)).unwrap_or(&[]);
        let mut list = Vec::new();
        for _ in 0..superblock.xattr_prefix_count {
            let Some((record, stored)) = record(rest) else { break };
            list.push(record);
            rest = rest.get(stored..).unwrap_or(&[]);
        }
        Self(list)
    }

    pub(super) fn get(&self, index: u8) -> Option<(u8, &'a [u8])> {
        self.0.get(usize::from(index)).copied()
    }
}

/// The first record, and how many bytes it takes.
fn record(bytes: &[u8]) -> Option<((u8, &[u8]), usize)> {
    let (len, rest) = U16::ref_from_prefix(bytes).ok()?;
    let len = usize::from(len.get());
    let (index, infix) = rest.get(..len)?.split_first()?;
    Some(((*index, infix), (2 + len).next_multiple_of(4)))
}
