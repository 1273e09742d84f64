//! A layer goes into the tree.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::Note;
use super::notes::Paths;
use crate::limits::{Limit, Limits};
use crate::tree::body::{Body, Extent, Place};
use crate::tree::builder::{Builder, Node, What, XattrSet};
use crate::tree::error::Error;
use crate::tree::inode::{Content, InodeId, NodeKind};
use crate::tree::model::{NO_INODE, SCATTERED, Tree, XattrIter};
use alloc::vec;
use alloc::vec::Vec;

/// A layer on its way into the tree.
pub(super) struct Merge<'o, 'a> {
    pub(super) out: &'o mut Builder,
    pub(super) layer: &'a Tree,
    number: usize,
    /// Ids in the result of this layer's inodes and xattr sets.
    pub(super) inodes: Vec<u32>,
    sets: Vec<Option<XattrSet>>,
    devices: Vec<u16>,
    first_extent: Vec<Extent>,
    paths: Paths,
    note: &'o mut dyn FnMut(Note),
}

impl<'o, 'a> Merge<'o, 'a> {
    /// A layer, the `number`th, whose devices have these numbers in the result.
    pub(super) fn new(
        out: &'o mut Builder,
        layer: &'a Tree,
        number: usize,
        devices: Vec<u16>,
        note: &'o mut dyn FnMut(Note),
    ) -> Self {
        let inodes = vec![NO_INODE; layer.inodes.len()];
        let sets = vec![None; layer.xattr_sets.len()];
        let (first_extent, paths) = (Vec::new(), Paths::default());
        Self { out, layer, number, inodes, sets, devices, first_extent, paths, note }
    }

    /// Puts it on top of what is there.
    pub(super) fn run(mut self, limits: &Limits) -> Result<(), Error> {
        self.pending()?;
        let root = self.root()?;
        // Each with how many names the paths in it have.
        let mut queue = vec![(InodeId::ROOT, root, 1)];
        while let Some((from, to, depth)) = queue.pop() {
            if self.layer.children(from).len() > 0 {
                let deep = limits.check(Limit::Depth, depth);
                deep.map_err(|over| Error::Limit { layer: self.number, over })?;
            }
            let holds_x = self.has(from, b"overlay.opaque", Some(b"x"));
            for (name, id) in self.layer.children(from) {
                let hidden = match name.strip_prefix(b".wh.") {
                    Some(b"" | b"." | b"..") => {
                        return Err(Error::BadWhiteout { name: name.to_vec() });
                    }
                    Some(hidden) => Some(hidden),
                    None if self.is_whiteout(id, holds_x) => Some(name),
                    None => None,
                };
                // Names that begin `.wh..wh.` are markers of aufs and hide no name. The opaque one
                // of them is looked for where its directory is merged: see `is_opaque`.
                if let Some(hidden) = hidden.filter(|hidden| !hidden.starts_with(b".wh.")) {
                    self.out.unlink(to, hidden);
                }
            }
            for (name, id) in self.layer.children(from) {
                if name.starts_with(b".wh.") || self.is_whiteout(id, holds_x) {
                    continue;
                }
                if self.layer.kind(id) == NodeKind::Directory {
                    queue.push((id, self.directory(to, name, id)?, depth.saturating_add(1)));
                } else {
                    let new = self.inode(id)?;
                    self.out.link(to, name, new)?;
                }
            }
        }
        Ok(())
    }

    fn root(&mut self) -> Result<InodeId, Error> {
        let mut root = self.out.root();
        if self.is_opaque(InodeId::ROOT) {
            root = self.anew(root)?;
            self.out.root = root.0;
        }
        if !self.layer.is_implied(InodeId::ROOT) {
            self.describe(root, InodeId::ROOT)?;
        }
        Ok(root)
    }

    /// An empty directory with the attributes of another of the result.
    fn anew(&mut self, old: InodeId) -> Result<InodeId, Error> {
        let tree = &self.out.tree;
        let (attributes, xattrs) = (tree.attributes(old), XattrSet(tree.xattr_number(old)));
        let flags = tree.inodes[old.index()].flags & !SCATTERED;
        let id = self.out.add(Node { attributes, xattrs, what: What::Directory })?;
        self.out.inode_mut(id).flags = flags;
        Ok(id)
    }

    /// Gives a directory of the result the attributes of one of the layer.
    fn describe(&mut self, to: InodeId, from: InodeId) -> Result<(), Error> {
        let xattrs = self.xattrs(from)?;
        self.out.set(to, self.layer.attributes(from), xattrs);
        self.out.mark_implied(to, false);
        Ok(())
    }

    fn directory(&mut self, to: InodeId, name: &[u8], from: InodeId) -> Result<InodeId, Error> {
        let implied = self.layer.is_implied(from);
        let lower = self.out.lookup(to, name);
        if let Some(lower) = lower.filter(|_| implied) {
            self.replaces(lower, from);
        }
        let lower = lower.filter(|lower| self.out.kind(*lower) == NodeKind::Directory);
        let id = match lower {
            Some(lower) if !self.is_opaque(from) => {
                if !implied {
                    self.describe(lower, from)?;
                }
                return Ok(lower);
            }
            Some(lower) if implied => self.anew(lower)?,
            _ => {
                let xattrs = self.xattrs(from)?;
                let attributes = self.layer.attributes(from);
                let id = self.out.add(Node { attributes, xattrs, what: What::Directory })?;
                self.out.mark_implied(id, implied);
                id
            }
        };
        self.out.link(to, name, id)?;
        Ok(id)
    }

    /// Tells the caller where an implied directory takes the place of something that is no
    /// directory.
    fn replaces(&mut self, lower: InodeId, from: InodeId) {
        let old = self.out.tree.inodes[lower.index()];
        if old.kind == NodeKind::Directory {
            return;
        }
        let (layer, path) = (self.number, self.paths.of(self.layer, from));
        (self.note)(if old.kind == NodeKind::Symlink {
            let target = self.out.tree.carried(old.body, old.size).to_vec();
            Note::LinkReplaced { layer, path, target }
        } else {
            Note::FileReplaced { layer, path }
        });
    }

    /// An inode that is not a directory, copied once.
    fn inode(&mut self, from: InodeId) -> Result<InodeId, Error> {
        let known = self.inodes[from.index()];
        if known != NO_INODE {
            return Ok(InodeId(known));
        }
        let xattrs = self.xattrs(from)?;
        let attributes = self.layer.attributes(from);
        let mut extents = core::mem::take(&mut self.first_extent);
        extents.clear();
        let what = match (self.layer.kind(from), self.layer.content(from)) {
            (_, Content::Regular { size, body: Body::Contiguous(place) }) => {
                let place = if size > 0 { self.place(place, size) } else { place };
                What::Regular { size, place }
            }
            (_, Content::Regular { size, body: Body::Extents(pieces) }) => {
                extents.reserve(pieces.len());
                for piece in pieces {
                    extents.push(Extent { place: self.place(piece.place, piece.len), ..*piece });
                }
                What::Pieces { size, extents: &extents }
            }
            (_, Content::Target(target)) => What::Symlink(target),
            (NodeKind::CharDevice, Content::Device(number)) => What::CharDevice(number),
            (_, Content::Device(number)) => What::BlockDevice(number),
            (NodeKind::Socket, _) => What::Socket,
            _ => What::Fifo,
        };
        let id = self.out.add(Node { attributes, xattrs, what })?;
        self.first_extent = extents;
        self.inodes[from.index()] = id.0;
        Ok(id)
    }

    fn place(&mut self, place: Place, len: u64) -> Place {
        match place {
            Place::Device { device, offset } => {
                Place::Device { device: self.devices[usize::from(device)], offset }
            }
            Place::Carried(offset) => {
                Place::Carried(self.out.carry(self.layer.carried(offset, len)))
            }
        }
    }

    fn xattrs(&mut self, from: InodeId) -> Result<XattrSet, Error> {
        let Some(set) = self.layer.xattr_set_of(from) else {
            return Ok(XattrSet::NONE);
        };
        if let Some(known) = self.sets[set as usize] {
            return Ok(known);
        }
        let bytes = self.layer.xattr_set(set);
        let mark = |name: &[u8], value: &[u8]| {
            value == b"y" && matches!(name, b"trusted.overlay.opaque" | b"user.overlay.opaque")
        };
        let new = if XattrIter::over(bytes).any(|(name, value)| mark(name, value)) {
            let mut list: Vec<_> =
                XattrIter::over(bytes).filter(|(name, value)| !mark(name, value)).collect();
            self.out.xattrs(&mut list)?
        } else {
            self.out.encoded_xattrs(bytes)?
        };
        self.sets[set as usize] = Some(new);
        Ok(new)
    }

    fn is_opaque(&self, dir: InodeId) -> bool {
        self.layer.is_opaque(dir)
            || self.has(dir, b"overlay.opaque", Some(b"y"))
            || self.layer.child(dir, b".wh..wh..opq").is_some()
    }

    fn is_whiteout(&self, id: InodeId, holds_x: bool) -> bool {
        match self.layer.content(id) {
            Content::Nothing => self.layer.kind(id) == NodeKind::Whiteout,
            Content::Device(number) => {
                self.layer.kind(id) == NodeKind::CharDevice && number.encode() == 0
            }
            Content::Regular { size: 0, .. } => holds_x && self.has(id, b"overlay.whiteout", None),
            _ => false,
        }
    }

    /// Whether an inode has `trusted.NAME` or `user.NAME`, with this value if one is given.
    fn has(&self, id: InodeId, name: &[u8], value: Option<&[u8]>) -> bool {
        self.layer.xattrs(id).any(|(full, found)| {
            [&b"trusted."[..], b"user."]
                .iter()
                .any(|prefix| full.strip_prefix(*prefix) == Some(name))
                && value.is_none_or(|value| value == found)
        })
    }
}
