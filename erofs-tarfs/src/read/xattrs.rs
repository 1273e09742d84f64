//! Extended attributes.

use super::{Error, Image, Inode, Rule};
use crate::format::{Compat, MAX_NAME, XattrEntry, XattrHeader, XattrPrefix};
use alloc::vec::Vec;
use zerocopy::FromBytes;
use zerocopy::little_endian::U32;

/// Bit of a name index that says: a long prefix.
const LONG: u8 = 0x80;

/// An extended attribute.
///
/// ```
/// use erofs_tarfs::{image, layout, read::Image};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// // The directory of a whiteout has what overlayfs wants to see there.
/// let tree = layer_of(&[("etc/.wh.old", "")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let image = Image::new(&bytes)?;
/// let etc = image.lookup(b"etc")?.expect("it is there");
/// assert_eq!(image.xattrs(etc)?[0].name, b"trusted.overlay.origin");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xattr<'a> {
    /// Full name.
    pub name: Vec<u8>,
    /// Value.
    pub value: &'a [u8],
}

impl<'a> Image<'a> {
    /// Extended attributes of an inode that a kernel lists, in ascending order of names.
    pub fn xattrs(&self, nid: u64) -> Result<Vec<Xattr<'a>>, Error> {
        let mut budget = u64::MAX;
        self.xattrs_within(&self.inode(nid)?, &mut budget)
    }

    /// The same, at the expense of a budget of bytes.
    pub(super) fn xattrs_within(
        &self,
        inode: &Inode,
        budget: &mut u64,
    ) -> Result<Vec<Xattr<'a>>, Error> {
        let (at, len) = inode.xattr_body();
        let mut list = Vec::new();
        if len == 0 {
            return Ok(list);
        }
        let damaged = || inode.fault(at, Rule::XattrBody);
        let overlap = || inode.fault(at, Rule::Overlap);
        let mut take = |bytes: usize| {
            *budget = budget.checked_sub(bytes as u64).ok_or_else(overlap)?;
            Ok(())
        };
        take(len as usize)?;
        let body = self.slice_of(inode, at, len)?;
        let (header, rest) = XattrHeader::ref_from_prefix(body).map_err(|_| damaged())?;
        let shared = usize::from(header.shared_count);
        let (ids, mut rest) =
            <[U32]>::ref_from_prefix_with_elems(rest, shared).map_err(|_| damaged())?;
        while !rest.is_empty() {
            let raw = Raw::first(rest).ok_or_else(damaged)?;
            rest = rest.get(raw.stored..).unwrap_or(&[]);
            list.extend(self.named(inode, raw, &mut take)?);
        }
        if shared > 0 && self.superblock.compat().contains(Compat::SHARED_EA_IN_METABOX) {
            return Err(inode.fault(at, Rule::Metabox));
        }
        let base = self.block_offset(self.superblock.xattr_blkaddr.get().into());
        for id in ids {
            let at = base + 4 * u64::from(id.get());
            let raw = usize::try_from(at)
                .ok()
                .and_then(|at| Raw::first(self.bytes.get(at..)?))
                .ok_or_else(|| inode.fault(at, Rule::WithinImage))?;
            take(raw.stored)?;
            list.extend(self.named(inode, raw, &mut take)?);
        }
        // Of two with one name, kernels take the first: the sort keeps their order.
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list.dedup_by(|later, first| later.name == first.name);
        Ok(list)
    }

    /// Puts the prefix, which it pays for, before a name; `None` for one that kernels don't show.
    fn named(
        &self,
        inode: &Inode,
        raw: Raw<'a>,
        take: &mut impl FnMut(usize) -> Result<(), Error>,
    ) -> Result<Option<Xattr<'a>>, Error> {
        let fault = |rule| inode.fault(inode.xattr_body().0, rule);
        let (index, infix) = if raw.index & LONG == 0 {
            (raw.index, &[][..])
        } else {
            self.prefixes.get(raw.index & !LONG).ok_or_else(|| fault(Rule::XattrPrefix))?
        };
        let Some(prefix) = XattrPrefix::from_index(index) else { return Ok(None) };
        if infix.len() + raw.name.len() > MAX_NAME {
            return Err(fault(Rule::XattrName));
        }
        take(prefix.text().len() + infix.len())?;
        let name = [prefix.text().as_bytes(), infix, raw.name].concat();
        if name.contains(&0) || XattrPrefix::split(&name).is_none_or(|(found, _)| found != prefix) {
            return Err(fault(Rule::XattrName));
        }
        Ok(Some(Xattr { name, value: raw.value }))
    }
}

/// An entry as stored.
#[derive(Clone, Copy)]
struct Raw<'a> {
    index: u8,
    name: &'a [u8],
    value: &'a [u8],
    /// Bytes that it takes, filled up to a multiple of 4.
    stored: usize,
}

impl<'a> Raw<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (entry, rest) = XattrEntry::ref_from_prefix(bytes).ok()?;
        let (name, rest) = rest.split_at_checked(entry.name_len.into())?;
        let value = rest.get(..entry.value_size.get().into())?;
        let stored = (size_of::<XattrEntry>() + name.len() + value.len()).next_multiple_of(4);
        Some(Self { index: entry.name_index, name, value, stored })
    }
}
