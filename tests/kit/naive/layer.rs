//! One layer by itself, its operations in the order of the tar.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::illegal::Illegal;
use super::way::{Step, Stop, walk};
use crate::layer::{Attr, Op, What, ancestors, is_below, join, parent};

/// Something that is no directory. Names of one `Rc` are one inode.
#[derive(Debug)]
pub(super) struct Inode {
    pub(super) what: What,
    pub(super) attr: Attr,
}

/// What a layer has at a path.
#[derive(Clone, Debug)]
pub(super) enum Own {
    /// Without attributes when nothing lists it.
    Dir(Option<Attr>),
    Leaf(Rc<Inode>),
    /// A hard link to what lower layers have at this path.
    Pending(Vec<u8>),
}

/// What a layer has, and what it hides.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    pub(super) own: BTreeMap<Vec<u8>, Own>,
    /// Names that lower layers lose.
    pub(super) whiteouts: BTreeSet<Vec<u8>>,
    /// Directories whose children lower layers lose.
    pub(super) opaque: BTreeSet<Vec<u8>>,
    /// Directories that took the place of something else of this layer, which hid the lower one.
    pub(super) fresh: BTreeSet<Vec<u8>>,
    /// The files that aufs hides, which hard links name.
    hidden: BTreeMap<Vec<u8>, Rc<Inode>>,
}

impl Layer {
    /// A layer of all operations.
    ///
    /// # Errors
    /// Those of [`put`](Self::put).
    pub fn read(ops: &[Op]) -> Result<Self, Illegal> {
        let mut layer = Self::default();
        ops.iter().try_for_each(|op| layer.put(op))?;
        Ok(layer)
    }

    /// The paths it has, implied directories too.
    pub fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.own.keys().map(Vec::as_slice)
    }

    /// Does what one more operation says. After an error, what it left is of no use.
    ///
    /// # Errors
    /// As [`Illegal`] has it.
    pub fn put(&mut self, op: &Op) -> Result<(), Illegal> {
        let inside = |path: &[u8]| path.starts_with(b".wh..wh.") && path.contains(&b'/');
        if inside(&op.path) {
            if matches!(op.what, What::File(_)) {
                self.hidden.insert(op.path.clone(), inode(op));
            }
            return Ok(());
        }
        let base = op.path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        if op.what == What::Whiteout && !(1..=251).contains(&base.len()) {
            return Err(Illegal::Refused(
                "a marker's name is that of what it hides, and four more",
            ));
        }
        let opaque = op.what == What::Opaque;
        let above = if opaque { Some(&op.path[..]) } else { parent(&op.path) };
        let dir = match self.walk(above.unwrap_or_default()) {
            Ok(dir) => dir,
            // There is nothing to hide.
            Err(Stop::File) if op.what.is_marker() => return Ok(()),
            Err(Stop::File) => return Err(Illegal::Refused("an entry below a file")),
            Err(Stop::Loop) => return Err(Illegal::Unsaid("a loop of links")),
        };
        let path = if opaque { dir.clone() } else { join(&dir, base) };
        let leaf = match &op.what {
            What::Hardlink(target) => Some(match inside(target) {
                true => match self.hidden.get(target) {
                    Some(inode) => Own::Leaf(Rc::clone(inode)),
                    None => return Err(Illegal::Refused("a hard link to nothing")),
                },
                false => self.target(target, &path)?,
            }),
            What::Dir | What::Whiteout | What::Opaque => None,
            _ => Some(Own::Leaf(inode(op))),
        };
        for dir in ancestors(&path).chain(opaque.then_some(&path[..])) {
            self.own.entry(dir.to_vec()).or_insert(Own::Dir(None));
        }
        match (leaf, &op.what) {
            (Some(_), _) if path.is_empty() => {
                return Err(Illegal::Refused("the root is a directory"));
            }
            (Some(leaf), _) => {
                self.drop_below(&path);
                self.fresh.remove(&path);
                self.own.insert(path, leaf);
            }
            (None, What::Whiteout) => drop(self.whiteouts.insert(path)),
            (None, What::Opaque) => drop(self.opaque.insert(path)),
            (None, _) => {
                if matches!(self.own.get(&path), Some(Own::Leaf(_) | Own::Pending(_))) {
                    self.fresh.insert(path.clone());
                }
                self.own.insert(path, Own::Dir(Some(effective(&op.attr))));
            }
        }
        Ok(())
    }

    /// Where a directory's path leads by the layer's own links.
    pub(super) fn walk(&self, path: &[u8]) -> Result<Vec<u8>, Stop> {
        walk(path, |path| match self.own.get(path) {
            None | Some(Own::Dir(_)) => Step::Free,
            Some(Own::Leaf(inode)) => step(inode),
            Some(Own::Pending(_)) => Step::File,
        })
    }

    /// What a hard link at `from` leads to.
    fn target(&self, target: &[u8], from: &[u8]) -> Result<Own, Illegal> {
        let Ok(dir) = self.walk(parent(target).unwrap_or_default()) else {
            return Err(Illegal::Unsaid("the way to the target is blocked"));
        };
        let name = target.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let to = join(&dir, name);
        if is_below(from, &to) {
            return Err(Illegal::Refused("a hard link to a directory"));
        }
        if to == from || is_below(&to, from) {
            return Err(Illegal::Unsaid("a hard link in the place of its target"));
        }
        match self.own.get(&to) {
            Some(Own::Dir(_)) => Err(Illegal::Refused("a hard link to a directory")),
            Some(own) => Ok(own.clone()),
            None if to.is_empty() => Err(Illegal::Refused("a hard link to a directory")),
            None => Ok(Own::Pending(to)),
        }
    }

    /// What is no directory takes a directory's place, and all goes that was said of what is below.
    fn drop_below(&mut self, path: &[u8]) {
        self.own.retain(|other, _| !is_below(other, path));
        for set in [&mut self.whiteouts, &mut self.opaque, &mut self.fresh] {
            set.retain(|other| !is_below(other, path));
        }
        self.opaque.remove(path);
    }
}

pub(super) fn step(inode: &Inode) -> Step<'_> {
    match &inode.what {
        What::Symlink(target) => Step::Link(target),
        // A whiteout in the form of overlayfs: nothing is there.
        What::Char(0, 0) => Step::Free,
        _ => Step::File,
    }
}

fn inode(op: &Op) -> Rc<Inode> {
    Rc::new(Inode { what: op.what.clone(), attr: effective(&op.attr) })
}

/// What becomes of attributes: -1 is nobody, and foreign namespaces are left out.
fn effective(attr: &Attr) -> Attr {
    let mut attr = attr.clone();
    for id in [&mut attr.uid, &mut attr.gid] {
        if *id == u32::MAX {
            *id = 0;
        }
    }
    attr.xattrs.retain(|key, _| {
        let known = |prefix: &&[u8]| key.starts_with(prefix);
        [&b"user."[..], b"trusted.", b"security."].iter().any(known)
            || matches!(&key[..], b"system.posix_acl_access" | b"system.posix_acl_default")
    });
    attr
}
