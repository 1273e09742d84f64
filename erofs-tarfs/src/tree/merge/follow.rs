//! Symbolic links of lower layers, followed as extractors do: what a layer has below such a link
//! goes to where the link leads.

use super::Note;
use super::notes::Paths;
use crate::limits::Limits;
use crate::tree::builder::{Builder, IMPLIED_ATTRIBUTES, XattrSet};
use crate::tree::index::Index;
use crate::tree::markers;
use crate::tree::model::{Link, NO_INODE, WHITED};
use crate::tree::path::{self, Stop};
use crate::tree::{Attributes, Content, Error, InodeId, NodeKind, Tree};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// How often a layer is moved: each time, what was moved may lie below another link.
const MAX_ROUNDS: usize = 40;

/// The layer as it is once its implied directories that lower layers have as links are moved to
/// where these lead; `None` if there are none. `out` is what the lower layers make.
pub(super) fn moved(
    layer: &Tree,
    number: usize,
    out: &mut Builder,
    note: &mut dyn FnMut(Note),
) -> Result<Option<Tree>, Error> {
    let mut result: Option<Tree> = None;
    for _ in 0..MAX_ROUNDS {
        let tree = result.as_ref().unwrap_or(layer);
        let found = below_links(tree, out);
        if found.is_empty() {
            return Ok(result);
        }
        let mut moving =
            Moving { tree, moved: BTreeMap::new(), builder: reopen(tree), number, note };
        let mut paths = Paths::default();
        for dir in found {
            moving.dir(out, dir, &paths.of(tree, dir))?;
        }
        // After the move the layer's markers may lie beside other names than before: what they hide
        // is found anew, over the whole layer.
        markers::settle(&mut moving.builder)?;
        result = Some(moving.builder.finish()?);
    }
    Err(Error::LinksTooDeep { layer: number })
}

/// Implied directories of the layer that the lower layers have as symbolic links.
fn below_links(layer: &Tree, out: &mut Builder) -> Vec<InodeId> {
    let mut found = Vec::new();
    let root = out.root();
    let mut todo = vec![(InodeId::ROOT, root)];
    while let Some((from, to)) = todo.pop() {
        if layer.is_opaque(from) {
            continue;
        }
        for (name, id) in layer.children(from) {
            if layer.kind(id) != NodeKind::Directory {
                continue;
            }
            match out.lookup(to, name).map(|lower| (lower, out.kind(lower))) {
                // Below an opaque directory nothing of the lower layers is left.
                Some((lower, NodeKind::Directory)) if !layer.is_opaque(id) => {
                    todo.push((id, lower));
                }
                // This is also right for a directory that a marker made opaque: the marker then
                // hides what is where the link leads.
                Some((_, NodeKind::Symlink)) if layer.is_implied(id) => found.push(id),
                _ => {}
            }
        }
    }
    found
}

/// A builder that goes on with a finished tree: its inodes keep their numbers, and its whiteouts
/// are marks at names again.
fn reopen(tree: &Tree) -> Builder {
    let mut builder = Builder::new();
    builder.tree = tree.clone();
    builder.keep_devices = true;
    builder.index = Index::default();
    for link in &mut builder.tree.links {
        if tree.kind(InodeId(link.inode)) == NodeKind::Whiteout {
            link.flags |= WHITED;
            if is_marker(tree, InodeId(link.inode)) {
                link.inode = NO_INODE;
            }
        }
    }
    builder
}

/// Whether a whiteout comes of a marker, and not of a device 0:0 that the tar has.
fn is_marker(tree: &Tree, id: InodeId) -> bool {
    tree.attributes(id) == Attributes::default() && !tree.has_xattrs(id)
}

struct Moving<'n> {
    /// The layer as it was.
    tree: &'n Tree,
    /// Names that directories have got since.
    moved: BTreeMap<u32, Vec<Vec<u8>>>,
    builder: Builder,
    number: usize,
    note: &'n mut dyn FnMut(Note),
}

impl Moving<'_> {
    /// Moves a directory, which is at the path `from` of the layer.
    fn dir(&mut self, out: &mut Builder, dir: InodeId, from: &[u8]) -> Result<(), Error> {
        let parts: Vec<&[u8]> = from.split(|byte| *byte == b'/').collect();
        let layer = self.number;
        let lost = || Error::LinkNotFollowed { layer, path: from.to_vec() };
        let to = match path::followed(out, &parts) {
            Ok(to) => to,
            Err(Stop::Error(error)) => return Err(error),
            Err(_) => return Err(lost()),
        };
        let to: Vec<&[u8]> = to.iter().map(|part| &part[..]).collect();
        let Some((name, parents)) = parts.split_last() else { return Ok(()) };
        let parent = self.own(parents).ok_or_else(lost)?;
        self.builder.unlink(parent, name);
        // What comes of it is held to the limits when it is merged, right behind this.
        let limits = &Limits::new().max_implied(u64::MAX).max_depth(u64::MAX);
        let way = path::Way::Make { before: 0, with_entries: 0, limits };
        let target = match path::directory(&mut self.builder, &to, way) {
            Ok(target) => target,
            Err(Stop::Error(error)) => return Err(error),
            Err(_) => return Err(lost()),
        };
        self.join(dir, target, &to.join(&b'/'))
    }

    /// The directory of the layer at a path.
    fn own(&mut self, parts: &[&[u8]]) -> Option<InodeId> {
        let root = self.builder.root();
        parts.iter().try_fold(root, |dir, part| self.builder.lookup(dir, part))
    }

    /// Puts what is in one directory into another.
    fn join(&mut self, from: InodeId, to: InodeId, path: &[u8]) -> Result<(), Error> {
        let mut todo = vec![(from, to, path.to_vec())];
        while let Some((from, to, path)) = todo.pop() {
            if from == to {
                continue;
            }
            if self.builder.tree.is_opaque(from) {
                self.builder.mark_opaque(to, true);
            }
            for name in self.names(from) {
                let Some(link) = self.builder.link_of(from, &name) else { continue };
                if link.flags & WHITED != 0 {
                    self.link(to, &name)?.flags |= WHITED;
                }
                if link.inode == NO_INODE {
                    continue;
                }
                let (new, path) = (InodeId(link.inode), [&path[..], b"/", &name].concat());
                let old = self.builder.lookup(to, &name).filter(|old| !self.is_same(*old, new));
                let kinds = old.map(|old| (old, self.builder.kind(old), self.builder.kind(new)));
                match kinds {
                    // Where one of two is a whiteout (a device 0:0 of the tar), the other stays:
                    // the whiteout acts on lower layers only, and the name's mark already says so.
                    Some((_, _, NodeKind::Whiteout)) => {}
                    None | Some((_, NodeKind::Whiteout, _)) => self.link(to, &name)?.inode = new.0,
                    Some((old, NodeKind::Directory, NodeKind::Directory)) => {
                        self.describe(old, new, &path);
                        todo.push((new, old, path));
                    }
                    Some(_) => return Err(Error::TwoPaths { layer: self.number, path }),
                }
            }
        }
        Ok(())
    }

    /// Whether two entries are hard links to one file, of the layer or of the lower ones: whichever
    /// comes last, the name means the same.
    fn is_same(&self, one: InodeId, other: InodeId) -> bool {
        let tree = &self.builder.tree;
        let target = |id| match (tree.kind(id), tree.content(id)) {
            (NodeKind::PendingLink, Content::Target(target)) => Some(target),
            _ => None,
        };
        one == other || target(one).is_some_and(|one| target(other) == Some(one))
    }

    /// The names in a directory: those that the layer has there, and those that were moved there.
    fn names(&self, dir: InodeId) -> Vec<Vec<u8>> {
        let moved = self.moved.get(&dir.0).into_iter().flatten().cloned();
        let own = self.tree.inode(dir.0).map(|dir| self.tree.children(dir));
        own.into_iter().flatten().map(|(name, _)| name.to_vec()).chain(moved).collect()
    }

    /// A name that something is moved to.
    fn link(&mut self, dir: InodeId, name: &[u8]) -> Result<&mut Link, Error> {
        if self.builder.link_of(dir, name).is_none() {
            self.moved.entry(dir.0).or_default().push(name.to_vec());
        }
        self.builder.link_mut(dir, name)
    }

    /// The attributes of a directory that the layer has by two paths.
    fn describe(&mut self, own: InodeId, other: InodeId, path: &[u8]) {
        let tree = &self.builder.tree;
        if !is_listed(tree, other) {
            return;
        }
        let (kept, given) = (tree.attributes(own), tree.attributes(other));
        let (kept_set, set) = (tree.xattr_number(own), tree.xattr_number(other));
        if !is_listed(tree, own) {
            self.builder.set(own, given, XattrSet(set));
            self.builder.mark_implied(own, false);
        } else if kept != given || kept_set != set {
            (self.note)(Note::ListedTwice { layer: self.number, path: path.to_vec() });
        }
    }
}

/// Whether an entry of the layer is about a directory, as far as the tree tells: one that a whiteout of its
/// name has made the layer's own is not implied any more, but has the attributes of one that is.
fn is_listed(tree: &Tree, dir: InodeId) -> bool {
    let is_bare = tree.attributes(dir) == IMPLIED_ATTRIBUTES && !tree.has_xattrs(dir);
    !(tree.is_implied(dir) || tree.is_opaque(dir) && is_bare)
}
