//! What each entry does to a layer.

use super::body::{Extent, Place};
use super::builder::{Node, What, XattrSet};
use super::error::{EntryError, Error, Rule};
use super::inode::{Attributes, InodeId, NodeKind};
use super::markers;
use super::model::{NO_INODE, Tree, WHITED};
use super::path::Stop;
use super::place::Target;
use super::sparse::{self, Carrier};
use super::state::State;
use super::xattrs;
use crate::limits::Limit;
use crate::tar::{Entry, Kind, Segment};
use crate::units::DeviceNumber;
use alloc::boxed::Box;
use alloc::vec::Vec;

impl State {
    /// Applies an entry; whether its body is wanted.
    pub(super) fn entry(&mut self, entry: &Entry<'_>) -> Result<bool, Error> {
        self.carried()?;
        self.entries = self.entries.saturating_add(1);
        let within = self.options.tar.limits.check(Limit::Entries, self.entries);
        within.map_err(|over| broken(entry.offset, entry.path, over.into()))?;
        self.apply(entry).map_err(|stop| match stop {
            Stop::Error(Error::Limit { over, .. }) => broken(entry.offset, entry.path, over.into()),
            Stop::Error(error) => error,
            Stop::Rule(rule) => broken(entry.offset, entry.path, rule),
            Stop::Missing => broken(entry.offset, entry.path, Rule::NoTarget(entry.link.to_vec())),
        })
    }

    fn apply(&mut self, entry: &Entry<'_>) -> Result<bool, Stop> {
        let (dir, name) = match self.place(entry.path)? {
            Target::Root => return self.root(entry).map(|()| false),
            Target::Nowhere => return Ok(false),
            Target::Hidden(name) if entry.kind == Kind::Regular => return self.hide(entry, name),
            Target::Hidden(_) => return Ok(false),
            Target::Opaque(dir) => {
                self.builder.mark_opaque(dir, true);
                return Ok(false);
            }
            Target::Whiteout(dir, name) => {
                self.builder.link_mut(dir, name)?.flags |= WHITED;
                return Ok(false);
            }
            Target::Name(dir, name) => (dir, name),
        };
        match entry.kind {
            Kind::HardLink => self.hard_link(entry, dir, name).map(|()| false),
            Kind::Directory => self.directory(entry, dir, name).map(|()| false),
            _ => {
                let (id, wants_body) = self.inode(entry)?;
                self.name(dir, name, id)?;
                let device = entry.kind == Kind::CharDevice;
                if device && self.builder.kind(id) == NodeKind::Whiteout {
                    self.builder.link_mut(dir, name)?.flags |= WHITED;
                }
                Ok(wants_body)
            }
        }
    }

    /// Mode, owner, time and extended attributes of an entry, and whether these say that its
    /// directory is opaque.
    #[inline]
    fn described(&mut self, entry: &Entry<'_>) -> Result<(Attributes, XattrSet, bool), Stop> {
        let attributes = attributes(entry);
        if entry.uid == UNSET || entry.gid == UNSET {
            self.notes.unset_owners = self.notes.unset_owners.saturating_add(1);
        }
        match xattrs::any(entry) {
            true => self.extended(entry, attributes),
            false => Ok((attributes, XattrSet::NONE, false)),
        }
    }

    /// The same of an entry that has extended attributes.
    fn extended(
        &mut self,
        entry: &Entry<'_>,
        mut attributes: Attributes,
    ) -> Result<(Attributes, XattrSet, bool), Stop> {
        let sifted = xattrs::sift(entry, self.options.drop_unknown_xattrs)?;
        let notes = &mut self.notes;
        notes.dropped_xattrs = notes.dropped_xattrs.saturating_add(sifted.dropped);
        notes.dropped_acls = notes.dropped_acls.saturating_add(sifted.dropped_acls);
        if let Some(mode) = sifted.mode {
            attributes.mode = attributes.mode & !0o777 | mode;
        }
        let mut list = sifted.list.iter().map(|(name, value)| (*name, &value[..])).collect();
        let set = self.builder.xattrs(&mut list)?;
        self.within_limit()?;
        Ok((attributes, set, sifted.opaque))
    }

    /// A file that aufs keeps out of sight.
    #[cold]
    fn hide(&mut self, entry: &Entry<'_>, name: &[u8]) -> Result<bool, Stop> {
        let (id, wants_body) = self.inode(entry)?;
        self.hidden.insert(name.to_vec(), id);
        Ok(wants_body)
    }

    fn root(&mut self, entry: &Entry<'_>) -> Result<(), Stop> {
        if entry.kind != Kind::Directory {
            return Err(Rule::RootNotDirectory.into());
        }
        let (attributes, set, opaque) = self.described(entry)?;
        let root = self.builder.root();
        self.builder.set(root, attributes, set);
        self.builder.mark_implied(root, false);
        if opaque {
            self.builder.mark_opaque(root, true);
        }
        Ok(())
    }

    fn directory(&mut self, entry: &Entry<'_>, dir: InodeId, name: &[u8]) -> Result<(), Stop> {
        let (attributes, xattrs, opaque) = self.described(entry)?;
        let id = match self.builder.lookup(dir, name) {
            Some(id) if self.builder.kind(id) == NodeKind::Directory => {
                self.builder.set(id, attributes, xattrs);
                self.builder.mark_implied(id, false);
                id
            }
            _ => {
                let id = self.builder.add(Node { attributes, xattrs, what: What::Directory })?;
                self.name(dir, name, id)?;
                id
            }
        };
        if opaque {
            self.builder.mark_opaque(id, true);
        }
        Ok(())
    }

    /// Makes the inode of an entry that is neither a directory nor a hard link, and says whether
    /// its body is wanted.
    #[inline(always)]
    fn inode(&mut self, entry: &Entry<'_>) -> Result<(InodeId, bool), Stop> {
        let (attributes, xattrs, _) = self.described(entry)?;
        let place = Place::Device { device: 0, offset: entry.data_offset };
        let size = entry.size;
        let extents;
        let mut carrier = None;
        let what = match (entry.kind, entry.sparse) {
            (Kind::Symlink, _) => {
                if !(1..=4095).contains(&entry.link.len()) {
                    return Err(Rule::SymlinkLength(entry.link.len()).into());
                }
                What::Symlink(entry.link)
            }
            (Kind::CharDevice, _) if entry.device == DeviceNumber::default() => What::Whiteout,
            (Kind::CharDevice | Kind::BlockDevice, _)
                if entry.device.major > DeviceNumber::MAX_MAJOR
                    || entry.device.minor > DeviceNumber::MAX_MINOR =>
            {
                return Err(Rule::DeviceNumber.into());
            }
            (Kind::CharDevice, _) => What::CharDevice(entry.device),
            (Kind::BlockDevice, _) => What::BlockDevice(entry.device),
            (Kind::Fifo, _) => What::Fifo,
            (_, Some(runs)) if size > 0 => {
                let pieces = self.sparse(entry, runs);
                (extents, carrier) = (pieces.0, pieces.1.map(Box::new));
                What::Pieces { size, extents: &extents }
            }
            _ => What::Regular { size, place },
        };
        let id = self.builder.add(Node { attributes, xattrs, what })?;
        self.within_limit()?;
        let Some(carrier) = carrier else { return Ok((id, false)) };
        self.carrier = Some((*carrier, id, entry.offset, entry.path.to_vec()));
        Ok((id, true))
    }

    /// Where the runs of a sparse file lie, and what carries its body if it has to be carried.
    #[cold]
    fn sparse(&mut self, entry: &Entry<'_>, runs: &[Segment]) -> (Vec<Extent>, Option<Carrier>) {
        let (size, offset) = (entry.size, entry.data_offset);
        let Some(extents) = sparse::in_place(size, offset, runs) else {
            return (Vec::new(), Some(Carrier::new(size, runs)));
        };
        let chunk = sparse::longer_chunks(size, &extents, &mut self.tables);
        let carrier = chunk.map(|chunk| Carrier::of_edges(size, &extents, offset, chunk));
        (extents, carrier)
    }

    /// Gives an inode a name. A directory that takes the place of something else hides what lower
    /// layers have there, as that did.
    pub(super) fn name(&mut self, dir: InodeId, name: &[u8], id: InodeId) -> Result<(), Error> {
        let directory = self.builder.kind(id) == NodeKind::Directory;
        let link = self.builder.link_mut(dir, name)?;
        let old = core::mem::replace(&mut link.inode, id.0);
        if old != NO_INODE && old != id.0 {
            if directory {
                link.flags |= WHITED;
            }
            self.builder.replaced = true;
        }
        Ok(())
    }

    pub(super) fn data(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some((carrier, _, offset, path)) = &mut self.carrier else { return Ok(()) };
        carrier
            .push(bytes, &mut self.builder.tree.bytes, &self.options.tar.limits)
            .map_err(|rule| broken(*offset, path, rule))
    }

    /// Ends the file whose body is being carried.
    pub(super) fn carried(&mut self) -> Result<(), Error> {
        let Some((mut carrier, id, ..)) = self.carrier.take() else { return Ok(()) };
        carrier.close(&mut self.builder.tree.bytes);
        self.builder.set_pieces(id, carrier.size, &carrier.extents)
    }

    /// The layer, of a tar of this many bytes.
    pub(super) fn finish(mut self, bytes: u64) -> Result<Tree, Error> {
        self.device().bytes = bytes;
        markers::settle(&mut self.builder)?;
        self.builder.finish()
    }
}

/// An owner or group that `chown` takes for "leave it": what was just made then has 0.
const UNSET: u32 = u32::MAX;

pub(super) fn attributes(entry: &Entry<'_>) -> Attributes {
    let owner = |id: u32| if id == UNSET { 0 } else { id };
    let (uid, gid) = (owner(entry.uid), owner(entry.gid));
    Attributes { mode: entry.mode, uid, gid, mtime: entry.mtime }
}

#[cold]
fn broken(offset: u64, path: &[u8], rule: Rule) -> Error {
    Error::Entry(Box::new(EntryError { offset, path: path.to_vec(), rule }))
}
