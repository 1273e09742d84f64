//! Extended attributes of an item, and the size of their body.

use super::scene::Scene;
use super::{Error, WhiteoutForm};
use crate::format::{MAX_IBODY, MAX_NAME, MAX_VALUE, XattrEntry, XattrHeader, XattrPrefix};
use crate::tree::XattrIter;

const OPAQUE: &[u8] = b"trusted.overlay.opaque";
const ORIGIN: &[u8] = b"trusted.overlay.origin";

impl<'t> Scene<'t> {
    /// Full names and values in ascending order of names, overlayfs' marks among them.
    pub(crate) fn xattrs(&self, item: u32) -> Xattrs<'t> {
        let mut xattrs = Xattrs { tree: None, held: None, marks: [None, None] };
        if self.is_marker(item) {
            return xattrs;
        }
        let id = self.owner(item);
        let mut own = self.tree.xattrs(id);
        if self.whiteouts == WhiteoutForm::Overlayfs {
            let has_origin = || self.tree.xattrs(id).any(|(name, _)| name == ORIGIN);
            if self.holds_whiteouts(item) && !has_origin() {
                xattrs.marks[0] = Some((ORIGIN, b""));
            }
            if self.tree.is_opaque(id) {
                xattrs.marks[1] = Some((OPAQUE, b"y"));
            }
        }
        xattrs.held = own.next();
        xattrs.tree = Some(own);
        xattrs
    }

    /// Whether an item has any: most have none, and are not to be looked at twice.
    pub(crate) fn has_xattrs(&self, item: u32) -> bool {
        let id = self.owner(item);
        let marks = || self.holds_whiteouts(item) || self.tree.is_opaque(id);
        !self.is_marker(item)
            && (self.tree.has_xattrs(id) || self.whiteouts == WhiteoutForm::Overlayfs && marks())
    }

    /// Size of an item's xattr body in bytes, 0 for none.
    pub(super) fn xattr_bytes(&self, item: u32) -> Result<u32, Error> {
        if !self.has_xattrs(item) {
            return Ok(0);
        }
        let mut total = 0usize;
        for (name, value) in self.xattrs(item) {
            let Some((_, rest)) = XattrPrefix::split(name) else {
                let (path, name) = (self.path(item), name.to_vec());
                return Err(Error::UnknownXattrNamespace { path, name });
            };
            let too_large = |bytes: usize, limit: usize| {
                let (path, name) = (self.path(item), name.to_vec());
                Err(Error::XattrTooLarge { path, name, bytes: bytes as u64, limit: limit as u64 })
            };
            if rest.len() > MAX_NAME {
                return too_large(rest.len(), MAX_NAME);
            }
            if value.len() > MAX_VALUE {
                return too_large(value.len(), MAX_VALUE);
            }
            if total == 0 {
                total = size_of::<XattrHeader>();
            }
            total += (size_of::<XattrEntry>() + rest.len() + value.len()).next_multiple_of(4);
            if total > MAX_IBODY {
                return too_large(total, MAX_IBODY);
            }
        }
        Ok(total as u32)
    }
}

type Pair<'t> = (&'t [u8], &'t [u8]);

/// The tree's attributes with up to two marks merged in; a mark replaces one of its name.
#[derive(Debug)]
pub(crate) struct Xattrs<'t> {
    tree: Option<XattrIter<'t>>,
    held: Option<Pair<'t>>,
    /// The next mark last.
    marks: [Option<Pair<'t>>; 2],
}

impl<'t> Xattrs<'t> {
    fn advance(&mut self) -> Option<Pair<'t>> {
        let next = self.tree.as_mut().and_then(Iterator::next);
        core::mem::replace(&mut self.held, next)
    }
}

impl<'t> Iterator for Xattrs<'t> {
    type Item = Pair<'t>;

    fn next(&mut self) -> Option<Pair<'t>> {
        let at = if self.marks[1].is_some() { 1 } else { 0 };
        let Some(mark) = self.marks[at] else { return self.advance() };
        match self.held {
            Some(own) if own.0 < mark.0 => self.advance(),
            own => {
                if own.is_some_and(|own| own.0 == mark.0) {
                    self.advance();
                }
                self.marks[at].take()
            }
        }
    }
}
