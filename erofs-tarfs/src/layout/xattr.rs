//! Extended attributes of an item, and the size of their body.

use super::scene::Scene;
use super::shared::{MAX_OF_INODE, OfSet, Pair, REFERENCE, entry_bytes};
use super::{Error, WhiteoutForm};
use crate::format::{MAX_IBODY, MAX_NAME, MAX_VALUE, XattrHeader, XattrPrefix};
use crate::tree::XattrIter;

const OPAQUE: &[u8] = b"trusted.overlay.opaque";
const ORIGIN: &[u8] = b"trusted.overlay.origin";

/// An attribute as an inode has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Xattr<'t> {
    pub(crate) name: &'t [u8],
    pub(crate) value: &'t [u8],
    /// Its number among the [shared](super::shared::Shared), if it is one of them.
    pub(crate) shared: Option<u32>,
}

impl<'t> Scene<'t> {
    /// The attributes in ascending order of names, overlayfs' marks among them.
    pub(crate) fn xattrs(&self, item: u32) -> Xattrs<'t, '_> {
        let mut xattrs = Xattrs::default();
        if self.is_marker(item) {
            return xattrs;
        }
        let id = self.owner(item);
        let mut own = self.tree.xattrs(id);
        if self.whiteouts == WhiteoutForm::Overlayfs {
            let mark = |name, value| {
                let shared = self.shared.find((name, value));
                Some(Xattr { name, value, shared })
            };
            let has_origin = || self.tree.xattrs(id).any(|(name, _)| name == ORIGIN);
            if self.holds_whiteouts(item) && !has_origin() {
                xattrs.marks[0] = mark(ORIGIN, b"");
            }
            if self.tree.is_opaque(id) {
                xattrs.marks[1] = mark(OPAQUE, b"y");
            }
        }
        if let Some(set) = self.tree.xattr_set_of(id) {
            xattrs.numbers = self.shared.of_set(set);
        }
        xattrs.held = own.next().map(|pair| xattrs.numbered(pair));
        xattrs.tree = Some(own);
        xattrs
    }

    /// Whether an item has any: most have none, and are not to be looked at twice.
    pub(crate) fn has_xattrs(&self, item: u32) -> bool {
        !self.is_marker(item) && (self.tree.has_xattrs(self.owner(item)) || self.has_marks(item))
    }

    /// Whether overlayfs' marks may be among them.
    pub(super) fn has_marks(&self, item: u32) -> bool {
        self.whiteouts == WhiteoutForm::Overlayfs
            && !self.is_marker(item)
            && (self.holds_whiteouts(item) || self.tree.is_opaque(self.owner(item)))
    }

    /// Size of an item's xattr body in bytes, 0 for none.
    pub(super) fn xattr_bytes(&self, item: u32) -> Result<u32, Error> {
        if !self.has_xattrs(item) {
            return Ok(0);
        }
        let (mut bytes, mut total) = (0, 0);
        for Xattr { name, value, shared } in self.xattrs(item) {
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
                bytes = total;
            }
            // What an inode may have does not depend on what other inodes have.
            let entry = entry_bytes((name, value)) as usize;
            total += entry;
            bytes += if shared.is_some() { REFERENCE as usize } else { entry };
            if total > MAX_IBODY {
                return too_large(total, MAX_IBODY);
            }
        }
        Ok(bytes as u32)
    }
}

/// The tree's attributes with up to two marks merged in; a mark replaces one of its name.
#[derive(Debug, Default)]
pub(crate) struct Xattrs<'t, 's> {
    tree: Option<XattrIter<'t>>,
    numbers: OfSet<'s>,
    held: Option<Xattr<'t>>,
    /// The next mark last.
    marks: [Option<Xattr<'t>>; 2],
    /// How many shared ones were handed out.
    shared: usize,
}

impl<'t> Xattrs<'t, '_> {
    fn numbered(&mut self, (name, value): Pair<'t>) -> Xattr<'t> {
        Xattr { name, value, shared: self.numbers.next() }
    }

    fn advance(&mut self) -> Option<Xattr<'t>> {
        let next = self.tree.as_mut().and_then(Iterator::next);
        let next = next.map(|pair| self.numbered(pair));
        core::mem::replace(&mut self.held, next)
    }

    fn merged(&mut self) -> Option<Xattr<'t>> {
        let at = if self.marks[1].is_some() { 1 } else { 0 };
        let Some(mark) = self.marks[at] else { return self.advance() };
        match self.held {
            Some(own) if own.name < mark.name => self.advance(),
            own => {
                if own.is_some_and(|own| own.name == mark.name) {
                    self.advance();
                }
                self.marks[at].take()
            }
        }
    }
}

impl<'t> Iterator for Xattrs<'t, '_> {
    type Item = Xattr<'t>;

    fn next(&mut self) -> Option<Xattr<'t>> {
        let mut next = self.merged()?;
        if next.shared.is_some() {
            self.shared += 1;
            next.shared = next.shared.filter(|_| self.shared <= MAX_OF_INODE);
        }
        Some(next)
    }
}
