//! Long prefixes of xattr names.

use super::Error;
use super::source::{Bytes, part};
use crate::format::{Compat, Incompat, Superblock};
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// The table of long prefixes: index of the short prefix, and what follows it in the name.
///
/// It's read where it lies in the image as it is. Without this, and from a damaged record on, there
/// are no prefixes, which is an error only for inodes that need them.
#[derive(Clone)]
pub(super) struct Prefixes<'a>(Vec<(u8, Cow<'a, [u8]>)>);

impl<'a> Prefixes<'a> {
    pub(super) fn new(bytes: Bytes<'a>, superblock: &Superblock) -> Result<Self, Error> {
        let plain = superblock.compat().contains(Compat::PLAIN_XATTR_PFX);
        let elsewhere =
            superblock.incompat().contains(Incompat::METABOX) || superblock.packed_nid.get() != 0;
        if elsewhere && !plain {
            return Ok(Self(Vec::new()));
        }
        let mut at = 4 * u64::from(superblock.xattr_prefix_start.get());
        let mut list = Vec::new();
        for _ in 0..superblock.xattr_prefix_count {
            let Some((record, stored)) = record(bytes, at)? else { break };
            list.push(record);
            at = at.saturating_add(stored);
        }
        Ok(Self(list))
    }

    pub(super) fn get(&self, index: u8) -> Option<(u8, &[u8])> {
        self.0.get(usize::from(index)).map(|(index, infix)| (*index, &infix[..]))
    }
}

/// A record, and how many bytes it takes.
type Record<'a> = ((u8, Cow<'a, [u8]>), u64);

/// The record at a byte of the image, if one is there.
fn record(bytes: Bytes<'_>, at: u64) -> Result<Option<Record<'_>>, Error> {
    let Some(len) = bytes.get(at, 2)? else { return Ok(None) };
    let Ok(len) = <[u8; 2]>::try_from(&*len) else { return Ok(None) };
    let len = u64::from(u16::from_le_bytes(len));
    let Some(record) = bytes.get(at.saturating_add(2), len)? else { return Ok(None) };
    let (Some(index), Some(infix)) = (record.first(), part(&record, 1..record.len())) else {
        return Ok(None);
    };
    Ok(Some(((*index, infix), len.saturating_add(2).next_multiple_of(4))))
}
