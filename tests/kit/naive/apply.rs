//! A layer over those below.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::illegal::Illegal;
use super::layer::{Inode, Layer, Own, step};
use super::way::{Step, Stop, walk};
use crate::layer::{Attr, What, ancestors, is_below, join, parent};

#[derive(Clone, Debug)]
pub(super) enum Node {
    Dir(Attr),
    Leaf(Rc<Inode>),
}

/// What layers make together.
#[derive(Clone, Debug)]
pub struct Merged(pub(super) BTreeMap<Vec<u8>, Node>);

impl Default for Merged {
    fn default() -> Self {
        Self::new()
    }
}

impl Merged {
    /// Nothing but a root.
    #[must_use]
    pub fn new() -> Self {
        Self(BTreeMap::from([(Vec::new(), Node::Dir(Attr::implied()))]))
    }

    /// All paths, and where they lead if they are symbolic links.
    pub fn paths(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.0.iter().map(|(path, node)| (&path[..], link(node)))
    }

    /// Puts a layer on top.
    ///
    /// # Errors
    /// As [`Illegal`] has it.
    pub fn apply(&mut self, layer: &Layer, follow: bool) -> Result<(), Illegal> {
        let plan = Plan::new(self, layer, follow)?;
        let found = self.pending(layer)?;
        for gone in &plan.whiteouts {
            self.0.retain(|path, _| path != gone && !is_below(path, gone));
        }
        for dir in plan.opaque.iter().chain(&plan.fresh) {
            self.0.retain(|path, _| !is_below(path, dir));
        }
        for dir in &plan.fresh {
            self.0.remove(dir);
        }
        for (spot, own) in &plan.own {
            if matches!(own, Own::Dir(None)) && plan.is_hidden(spot) {
                continue;
            }
            for dir in ancestors(spot).collect::<Vec<_>>().into_iter().rev() {
                self.imply(dir);
            }
            let leaf = match own {
                Own::Dir(None) => {
                    self.imply(spot);
                    continue;
                }
                Own::Dir(Some(attr)) => {
                    self.0.insert(spot.clone(), Node::Dir(attr.clone()));
                    continue;
                }
                Own::Leaf(inode) if is_whiteout(inode) => continue,
                Own::Leaf(inode) => inode,
                Own::Pending(target) => &found[target],
            };
            self.0.retain(|path, _| !is_below(path, spot));
            self.0.insert(spot.clone(), Node::Leaf(Rc::clone(leaf)));
        }
        Ok(())
    }

    /// A directory that is not listed: one that is there keeps what it is.
    fn imply(&mut self, path: &[u8]) {
        if !matches!(self.0.get(path), Some(Node::Dir(_))) {
            self.0.insert(path.to_vec(), Node::Dir(Attr::implied()));
        }
    }

    /// The targets in lower layers of hard links, by their paths, before anything is hidden.
    fn pending(&self, layer: &Layer) -> Result<BTreeMap<Vec<u8>, Rc<Inode>>, Illegal> {
        let mut found = BTreeMap::new();
        for own in layer.own.values() {
            let Own::Pending(target) = own else { continue };
            let inode = match self.walk(parent(target).unwrap_or_default()) {
                Ok(dir) => {
                    let name = target.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
                    self.0.get(&join(&dir, name))
                }
                Err(_) => None,
            };
            match inode {
                Some(Node::Leaf(inode)) => found.insert(target.clone(), Rc::clone(inode)),
                Some(Node::Dir(_)) => return Err(Illegal::Refused("a hard link to a directory")),
                None => return Err(Illegal::Refused("a hard link to nothing")),
            };
        }
        Ok(found)
    }

    fn walk(&self, path: &[u8]) -> Result<Vec<u8>, Stop> {
        walk(path, |path| match self.0.get(path) {
            None | Some(Node::Dir(_)) => Step::Free,
            Some(Node::Leaf(inode)) => step(inode),
        })
    }
}

/// Where everything of a layer goes.
struct Plan {
    own: Vec<(Vec<u8>, Own)>,
    whiteouts: BTreeSet<Vec<u8>>,
    opaque: BTreeSet<Vec<u8>>,
    fresh: BTreeSet<Vec<u8>>,
    /// Paths at or below which there is more than markers.
    real: BTreeSet<Vec<u8>>,
}

impl Plan {
    fn new(below: &Merged, layer: &Layer, follow: bool) -> Result<Self, Illegal> {
        let (known, followed) = (BTreeMap::new(), Vec::new());
        let mut spots = Spots { below, layer, follow, known, followed, blocked: false };
        let mut own = Vec::new();
        for (path, what) in &layer.own {
            own.push((path, spots.of(path)?, what.clone()));
        }
        let mut named = |paths: &BTreeSet<Vec<u8>>| -> Result<BTreeSet<Vec<u8>>, Illegal> {
            paths.iter().map(|path| spots.beside(path)).collect()
        };
        let mut whiteouts = named(&layer.whiteouts)?;
        let fresh = named(&layer.fresh)?;
        let mut opaque = BTreeSet::new();
        for dir in &layer.opaque {
            opaque.insert(spots.of(dir)?);
        }
        let is_device = |own: &Own| matches!(own, Own::Leaf(inode) if is_whiteout(inode));
        let devices = own.iter().filter(|(_, _, own)| is_device(own));
        whiteouts.extend(devices.map(|(_, spot, _)| spot.clone()));
        let unclear = |link: &Vec<u8>| {
            let hides = |dir: &[u8]| whiteouts.contains(dir) || fresh.contains(dir);
            hides(link) || ancestors(link).any(|dir| hides(dir) || opaque.contains(dir))
        };
        if spots.followed.iter().any(unclear) {
            return Err(Illegal::Unsaid("a link is followed that the layer hides by another path"));
        }
        if spots.blocked {
            return Err(Illegal::Refused("a lower link leads to no directory"));
        }
        let listed = |own: &Own| !matches!(own, Own::Dir(None));
        if own.iter().any(|(_, spot, own)| listed(own) && spots.followed.contains(spot)) {
            return Err(Illegal::Unsaid(
                "a link is followed that the layer replaces by another path",
            ));
        }
        let own = joined(own)?;
        let real = own.iter().filter(|(_, own)| !matches!(own, Own::Dir(None)));
        let real = real.flat_map(|(spot, _)| ancestors(spot).chain([&spot[..]]));
        let real = real.map(<[u8]>::to_vec).collect();
        Ok(Self { own, whiteouts, opaque, fresh, real })
    }

    /// Whether a directory that only markers made is gone: another marker of the layer hides it, or
    /// nothing of lower layers is seen in a directory above it, so that there is nothing to mark.
    fn is_hidden(&self, spot: &[u8]) -> bool {
        let sets = [&self.whiteouts, &self.opaque, &self.fresh];
        let above = |dir: &[u8]| sets.iter().any(|set| set.contains(dir));
        !self.real.contains(spot)
            && (self.whiteouts.contains(spot) || ancestors(spot).any(above))
            && !spot.is_empty()
    }
}

/// Where the paths of a layer lie in the result.
struct Spots<'a> {
    below: &'a Merged,
    layer: &'a Layer,
    follow: bool,
    known: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The links of lower layers that were followed.
    followed: Vec<Vec<u8>>,
    /// Whether one of them leads to no directory.
    blocked: bool,
}

impl Spots<'_> {
    fn of(&mut self, path: &[u8]) -> Result<Vec<u8>, Illegal> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        let mut spot = self.beside(path)?;
        let is_link = self.below.0.get(&spot).is_some_and(|node| link(node).is_some());
        if self.follow && is_link && self.shows(path) {
            self.followed.push(spot.clone());
            match self.below.walk(&spot) {
                Ok(to) => spot = to,
                Err(_) => self.blocked = true,
            }
        }
        self.known.insert(path.to_vec(), spot.clone());
        Ok(spot)
    }

    /// The spot of a name itself: links lead to the directory it is in, and no further.
    fn beside(&mut self, path: &[u8]) -> Result<Vec<u8>, Illegal> {
        let Some(dir) = parent(path) else { return Ok(Vec::new()) };
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        Ok(join(&self.of(dir)?, name))
    }

    /// Whether the layer has no more than a way through what lower layers have at a path.
    fn shows(&self, path: &[u8]) -> bool {
        let Layer { own, whiteouts, opaque, fresh, .. } = self.layer;
        let hides = |dir: &[u8]| whiteouts.contains(dir) || fresh.contains(dir);
        matches!(own.get(path), Some(Own::Dir(None)))
            && !hides(path)
            && !ancestors(path).any(|dir| hides(dir) || opaque.contains(dir))
    }
}

const BELOW: Illegal = Illegal::Unsaid("a followed link leads to or below a file of the layer");

/// One thing for each spot, though two paths of a layer may lead there.
fn joined(own: Vec<(&Vec<u8>, Vec<u8>, Own)>) -> Result<Vec<(Vec<u8>, Own)>, Illegal> {
    let mut all: BTreeMap<Vec<u8>, (bool, Own)> = BTreeMap::new();
    for (path, spot, own) in own {
        let direct = *path == spot;
        let kept = match (all.remove(&spot), own) {
            (None, own) => (direct, own),
            (Some((at, Own::Dir(one))), Own::Dir(other)) => match (&one, &other) {
                (None, _) => (direct, Own::Dir(other)),
                (_, None) => (at, Own::Dir(one)),
                _ if direct => (direct, Own::Dir(other)),
                _ if at => (at, Own::Dir(one)),
                _ => return Err(Illegal::Unsaid("a directory listed by two links")),
            },
            (Some((_, Own::Dir(None))), _) | (_, Own::Dir(None)) => return Err(BELOW),
            (Some((at, one)), other) if is_same(&one, &other) => (at || direct, one),
            _ => return Err(Illegal::Refused("two entries for one path")),
        };
        all.insert(spot, kept);
    }
    let leaves = all.iter().filter(|(_, (_, own))| !matches!(own, Own::Dir(_)));
    for (leaf, _) in leaves {
        if all.keys().any(|path| is_below(path, leaf)) {
            return Err(BELOW);
        }
    }
    Ok(all.into_iter().map(|(spot, (_, own))| (spot, own)).collect())
}

/// Whether two hard links are to one file.
fn is_same(one: &Own, other: &Own) -> bool {
    match (one, other) {
        (Own::Leaf(one), Own::Leaf(other)) => Rc::ptr_eq(one, other),
        (Own::Pending(one), Own::Pending(other)) => one == other,
        _ => false,
    }
}

fn link(node: &Node) -> Option<&[u8]> {
    match node {
        Node::Leaf(inode) => match &inode.what {
            What::Symlink(target) => Some(target),
            _ => None,
        },
        Node::Dir(_) => None,
    }
}

fn is_whiteout(inode: &Inode) -> bool {
    inode.what == What::Char(0, 0)
}
