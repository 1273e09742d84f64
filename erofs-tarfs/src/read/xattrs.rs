//! Extended attributes.

use super::source::part;
use super::{Error, Image, Inode, Rule};
use crate::format::{Compat, MAX_NAME, XattrEntry, XattrHeader, XattrPrefix};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::Range;
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
    /// Value: borrowed of an image in memory, a copy of one that is read.
    pub value: Cow<'a, [u8]>,
}

impl<'a> Image<'a> {
    /// Extended attributes of an inode that a kernel lists, in ascending order of names.
    ///
    /// # Errors
    /// [`Error::Inode`] names the nid, the byte and the rule that is broken; [`Error::Read`].
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
        let (header, rest) = XattrHeader::ref_from_prefix(&body).map_err(|_| damaged())?;
        let shared = usize::from(header.shared_count);
        let (ids, rest) =
            <[U32]>::ref_from_prefix_with_elems(rest, shared).map_err(|_| damaged())?;
        let mut from = body.len().saturating_sub(rest.len());
        while from < body.len() {
            let raw = Raw::at(&body, from).ok_or_else(damaged)?;
            list.extend(self.named(inode, &body, &raw, &mut take)?);
            from = from.saturating_add(raw.stored);
        }
        if shared > 0 && self.superblock.compat().contains(Compat::SHARED_EA_IN_METABOX) {
            return Err(inode.fault(at, Rule::Metabox));
        }
        let base = self.block_offset(self.superblock.xattr_blkaddr.get().into());
        for id in ids {
            let at = base.saturating_add(u64::from(id.get()).saturating_mul(4));
            let head = self.slice_of(inode, at, size_of::<XattrEntry>() as u64)?;
            let len = Raw::len(&head).ok_or_else(damaged)?;
            let entry = self.slice_of(inode, at, len)?;
            let raw = Raw::at(&entry, 0).ok_or_else(damaged)?;
            take(raw.stored)?;
            list.extend(self.named(inode, &entry, &raw, &mut take)?);
        }
        // Of two with one name, kernels take the first: the sort keeps their order.
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list.dedup_by(|later, first| later.name == first.name);
        Ok(list)
    }

    /// Puts the prefix, which it pays for, before the name of an entry in a piece; `None` for one that
    /// kernels don't show.
    fn named(
        &self,
        inode: &Inode,
        piece: &Cow<'a, [u8]>,
        raw: &Raw,
        take: &mut impl FnMut(usize) -> Result<(), Error>,
    ) -> Result<Option<Xattr<'a>>, Error> {
        let fault = |rule| inode.fault(inode.xattr_body().0, rule);
        let (index, infix) = if raw.index & LONG == 0 {
            (raw.index, &[][..])
        } else {
            self.prefixes.get(raw.index & !LONG).ok_or_else(|| fault(Rule::XattrPrefix))?
        };
        let Some(prefix) = XattrPrefix::from_index(index) else { return Ok(None) };
        if infix.len().saturating_add(raw.name.len()) > MAX_NAME {
            return Err(fault(Rule::XattrName));
        }
        take(prefix.text().len().saturating_add(infix.len()))?;
        let own = piece.get(raw.name.clone()).ok_or_else(|| fault(Rule::XattrBody))?;
        let name = [prefix.text().as_bytes(), infix, own].concat();
        if name.contains(&0) || XattrPrefix::split(&name).is_none_or(|(found, _)| found != prefix) {
            return Err(fault(Rule::XattrName));
        }
        let value = part(piece, raw.value.clone()).ok_or_else(|| fault(Rule::XattrBody))?;
        Ok(Some(Xattr { name, value }))
    }
}

/// An entry as stored: where its name and value lie in the piece that has it.
struct Raw {
    index: u8,
    name: Range<usize>,
    value: Range<usize>,
    /// Bytes that it takes, filled up to a multiple of 4.
    stored: usize,
}

impl Raw {
    /// Bytes that the entry takes which begins with `head`, not filled up.
    fn len(head: &[u8]) -> Option<u64> {
        let (entry, _) = XattrEntry::ref_from_prefix(head).ok()?;
        let len = size_of::<XattrEntry>() as u64;
        Some(
            len.saturating_add(entry.name_len.into()).saturating_add(entry.value_size.get().into()),
        )
    }

    /// The entry from a byte of a piece on, if the piece has all of it.
    fn at(piece: &[u8], from: usize) -> Option<Self> {
        let rest = piece.get(from..)?;
        let (entry, _) = XattrEntry::ref_from_prefix(rest).ok()?;
        let len = usize::try_from(Self::len(rest)?).ok()?;
        rest.get(..len)?;
        let name = from.checked_add(size_of::<XattrEntry>())?;
        let value = name.checked_add(entry.name_len.into())?;
        Some(Self {
            index: entry.name_index,
            name: name..value,
            value: value..from.checked_add(len)?,
            stored: len.next_multiple_of(4),
        })
    }
}
