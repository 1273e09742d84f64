//! What each entry does to a layer.

use super::builder::{Builder, IMPLIED_ATTRIBUTES, Node, What, XattrSet};
use super::error::{EntryError, Error, Rule};
use super::layer::LayerOptions;
use super::model::{Attributes, Device, InodeId, NO_INODE, NodeKind, Place, Tree, WHITED};
use super::path::{self, Stop, Way};
use super::sparse::{self, Carrier};
use super::xattrs;
use crate::tar::{Entry, Kind};
use crate::units::DeviceNumber;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A layer that is being made.
#[derive(Debug)]
pub(super) struct State {
    builder: Builder,
    options: LayerOptions,
    pub(super) entries: u64,
    pub(super) dropped_xattrs: u64,
    carrier: Option<(Carrier, InodeId, u64, Vec<u8>)>,
    /// The last entry's directory: its path, raw, and its id.
    last: (Vec<u8>, InodeId),
}

impl State {
    pub(super) fn new(options: LayerOptions) -> Self {
        let mut builder = Builder::new();
        let device = Device { tag: options.tag.clone(), bytes: u64::MAX, base_offset: 0 };
        builder.tree.devices.push(device);
        builder.keep_devices(options.keep_empty_device);
        Self {
            builder,
            options,
            entries: 0,
            dropped_xattrs: 0,
            carrier: None,
            last: (Vec::new(), InodeId::ROOT),
        }
    }

    /// Gives the device another tag.
    pub(super) fn set_tag(&mut self, tag: &[u8]) {
        if let Some(device) = self.builder.tree.devices.first_mut() {
            device.tag = tag.to_vec();
        }
    }

    /// Applies an entry; whether its body is wanted.
    pub(super) fn entry(&mut self, entry: &Entry<'_>) -> Result<bool, Error> {
        self.carried()?;
        self.entries += 1;
        self.apply(entry).map_err(|stop| match stop {
            Stop::Error(error) => error,
            Stop::Rule(rule) => broken(entry.offset, entry.path, rule),
            Stop::Missing => broken(entry.offset, entry.path, Rule::NoTarget(entry.link.to_vec())),
        })
    }

    fn apply(&mut self, entry: &Entry<'_>) -> Result<bool, Stop> {
        let (dir, name) = match self.place(entry.path)? {
            Target::Root => return self.root(entry).map(|()| false),
            Target::Nowhere => return Ok(false),
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
            _ => self.other(entry, dir, name),
        }
    }

    /// Where an entry belongs. Missing directories are made.
    fn place<'p>(&mut self, raw: &'p [u8]) -> Result<Target<'p>, Stop> {
        let cut = raw.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let (parent, tail) = raw.split_at(cut);
        let name = tail.strip_prefix(b"/").unwrap_or(tail);
        let marker = name.starts_with(b".wh.");
        let plain = !marker && !matches!(name, b"" | b"." | b"..") && name.len() <= 255;
        if plain && !self.builder.replaced && !parent.is_empty() && parent == self.last.0 {
            return Target::of(self.last.1, name).map_err(Stop::Rule);
        }
        let parts = path::components(raw, self.options.resolve_dot_dot)?;
        let Some((name, parents)) = parts.split_last() else { return Ok(Target::Root) };
        if parents.iter().any(|part| part.starts_with(b".wh..wh.")) {
            return Ok(Target::Nowhere);
        }
        if parents.iter().any(|part| part.starts_with(b".wh.")) {
            return Err(Rule::BelowWhiteout.into());
        }
        let way = if marker { Way::Mark } else { Way::Make };
        let dir = match path::directory(&mut self.builder, parents, way) {
            Ok(dir) => dir,
            // Below what is no directory there is nothing to hide: the marker does nothing.
            Err(Stop::Rule(Rule::BelowNonDirectory)) if marker => {
                Target::of(InodeId::ROOT, name)?;
                return Ok(Target::Nowhere);
            }
            Err(stop) => return Err(stop),
        };
        if plain {
            self.builder.replaced = false;
            self.last.0.clear();
            self.last.0.extend_from_slice(parent);
            self.last.1 = dir;
        }
        Target::of(dir, name).map_err(Stop::Rule)
    }

    fn xattrs(&mut self, entry: &Entry<'_>) -> Result<(XattrSet, bool), Stop> {
        if entry.xattrs.is_empty() {
            return Ok((XattrSet::NONE, false));
        }
        let mut sifted = xattrs::sift(entry.xattrs, self.options.drop_unknown_xattrs)?;
        self.dropped_xattrs += sifted.dropped;
        let set = self.builder.xattrs(&mut sifted.list)?;
        self.within_limit()?;
        Ok((set, sifted.opaque))
    }

    fn within_limit(&self) -> Result<(), Rule> {
        let limit = self.options.max_carried;
        if self.builder.tree.bytes.len() as u64 > limit {
            Err(Rule::Carried(limit))
        } else {
            Ok(())
        }
    }

    fn root(&mut self, entry: &Entry<'_>) -> Result<(), Stop> {
        if entry.kind != Kind::Directory {
            return Err(Rule::RootNotDirectory.into());
        }
        let (set, opaque) = self.xattrs(entry)?;
        let root = self.builder.root();
        self.builder.set(root, attributes(entry), set);
        self.builder.mark_implied(root, false);
        if opaque {
            self.builder.mark_opaque(root, true);
        }
        Ok(())
    }

    fn directory(&mut self, entry: &Entry<'_>, dir: InodeId, name: &[u8]) -> Result<(), Stop> {
        let (xattrs, opaque) = self.xattrs(entry)?;
        let id = match self.builder.lookup(dir, name) {
            Some(id) if self.builder.kind(id) == NodeKind::Directory => {
                self.builder.set(id, attributes(entry), xattrs);
                self.builder.mark_implied(id, false);
                id
            }
            _ => {
                let attributes = attributes(entry);
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

    fn other(&mut self, entry: &Entry<'_>, dir: InodeId, name: &[u8]) -> Result<bool, Stop> {
        let (xattrs, _) = self.xattrs(entry)?;
        let place = Place::Device { device: 0, offset: entry.data_offset };
        let size = entry.size;
        let mut extents = Vec::new();
        let mut carry = false;
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
            (_, Some(runs)) if size > 0 => match sparse::in_place(size, entry.data_offset, runs) {
                Some(found) => {
                    extents = found;
                    What::Pieces { size, extents: &extents }
                }
                None => {
                    carry = true;
                    What::Pieces { size, extents: &extents }
                }
            },
            _ => What::Regular { size, place },
        };
        let whiteout = matches!(what, What::Whiteout);
        let id = self.builder.add(Node { attributes: attributes(entry), xattrs, what })?;
        self.within_limit()?;
        self.name(dir, name, id)?;
        if whiteout {
            self.builder.link_mut(dir, name)?.flags |= WHITED;
        }
        if let (true, Some(runs)) = (carry, entry.sparse) {
            let carrier = Carrier::new(size, runs);
            self.carrier = Some((carrier, id, entry.offset, entry.path.to_vec()));
        }
        Ok(carry)
    }

    /// Gives an inode a name. A directory that takes the place of something else hides what lower
    /// layers have there, as that did.
    fn name(&mut self, dir: InodeId, name: &[u8], id: InodeId) -> Result<(), Error> {
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

    fn hard_link(&mut self, entry: &Entry<'_>, dir: InodeId, name: &[u8]) -> Result<(), Stop> {
        let parts = path::components(entry.link, self.options.resolve_dot_dot)?;
        let Some((base, parents)) = parts.split_last() else {
            return Err(Rule::TargetIsDirectory(entry.link.to_vec()).into());
        };
        let found = match path::directory(&mut self.builder, parents, Way::Find) {
            Ok(parent) => self.builder.lookup(parent, base),
            Err(Stop::Missing) => None,
            Err(Stop::Rule(Rule::BelowNonDirectory)) => None,
            Err(stop) => return Err(stop),
        };
        let id = match found.map(|id| (id, self.builder.kind(id))) {
            Some((_, NodeKind::Directory)) => {
                return Err(Rule::TargetIsDirectory(entry.link.to_vec()).into());
            }
            Some((id, _)) => id,
            None if self.options.keep_pending => {
                let target = parts.join(&b'/');
                self.builder.add(Node {
                    attributes: attributes(entry),
                    xattrs: XattrSet::NONE,
                    what: What::PendingLink(&target),
                })?
            }
            None => return Err(Rule::NoTarget(entry.link.to_vec()).into()),
        };
        self.name(dir, name, id)?;
        if self.builder.kind(id) == NodeKind::Whiteout {
            self.builder.link_mut(dir, name)?.flags |= WHITED;
        }
        Ok(())
    }

    pub(super) fn data(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some((carrier, _, offset, path)) = &mut self.carrier else { return Ok(()) };
        let limit = self.options.max_carried;
        carrier
            .push(bytes, &mut self.builder.tree.bytes, limit)
            .map_err(|rule| broken(*offset, path, rule))
    }

    /// Ends the file whose body is being carried.
    pub(super) fn carried(&mut self) -> Result<(), Error> {
        let Some((mut carrier, id, ..)) = self.carrier.take() else { return Ok(()) };
        carrier.close(&mut self.builder.tree.bytes);
        self.builder.set_pieces(id, carrier.size, &carrier.extents)
    }

    /// Turns marks into inodes.
    pub(super) fn finish(mut self, bytes: u64) -> Result<Tree, Error> {
        self.builder.tree.devices[0].bytes = bytes;
        for at in 0..self.builder.tree.links.len() {
            let link = self.builder.tree.links[at];
            if link.flags & WHITED == 0 {
                continue;
            }
            if link.inode == NO_INODE {
                let id = self.builder.add(Node {
                    attributes: Attributes { mode: 0, ..IMPLIED_ATTRIBUTES },
                    xattrs: XattrSet::NONE,
                    what: What::Whiteout,
                })?;
                self.builder.tree.links[at].inode = id.0;
            } else if self.builder.kind(InodeId(link.inode)) == NodeKind::Directory {
                // The lower directory is gone as a whole: this one's attributes are its own.
                self.builder.mark_opaque(InodeId(link.inode), true);
                self.builder.mark_implied(InodeId(link.inode), false);
            }
        }
        self.builder.finish()
    }
}

/// Where a path leads.
#[derive(Debug)]
enum Target<'p> {
    Root,
    /// A file of aufs, or a marker with nothing to mark.
    Nowhere,
    Name(InodeId, &'p [u8]),
    Whiteout(InodeId, &'p [u8]),
    Opaque(InodeId),
}

impl<'p> Target<'p> {
    fn of(dir: InodeId, name: &'p [u8]) -> Result<Self, Rule> {
        Ok(match name.strip_prefix(b".wh.") {
            None => Self::Name(dir, name),
            Some(b"" | b"." | b"..") => return Err(Rule::BadWhiteout),
            Some(b".wh..opq") => Self::Opaque(dir),
            Some(hidden) if hidden.starts_with(b".wh.") => Self::Nowhere,
            Some(hidden) => Self::Whiteout(dir, hidden),
        })
    }
}

fn attributes(entry: &Entry<'_>) -> Attributes {
    Attributes { mode: entry.mode, uid: entry.uid, gid: entry.gid, mtime: entry.mtime }
}

#[cold]
fn broken(offset: u64, path: &[u8], rule: Rule) -> Error {
    Error::Entry(Box::new(EntryError { offset, path: path.to_vec(), rule }))
}
