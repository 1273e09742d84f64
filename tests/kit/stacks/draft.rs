//! Layers that are legal, and as wild as that allows.
//!
//! Left out is what the rules leave open: entries below a file or symlink of the same layer, hard
//! links to what is not there, and a path that one layer makes a directory, then something else,
//! then a directory again where lower layers have it too (is what they have there hidden?).

use std::collections::{BTreeMap, BTreeSet};

use super::names;
use crate::layer::{Op, What, ancestors, is_below, join};
use crate::rng::Rng;

pub(super) fn layers(rng: &mut Rng, count: usize) -> Vec<Vec<Op>> {
    let mut lower = BTreeSet::new();
    (0..count)
        .map(|_| {
            let mut draft = Draft {
                lower: &lower,
                ops: Vec::new(),
                own: BTreeMap::new(),
                marked: BTreeSet::new(),
            };
            draft.own.insert(Vec::new(), Own::Dir);
            for _ in 0..rng.below(40) {
                draft.step(rng);
            }
            let Draft { ops, own, .. } = draft;
            lower.extend(own.into_keys());
            ops
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    Dir,
    Leaf,
    /// A symbolic link: markers below it go where it leads, which is for [`wild`](super::wild).
    Link,
    /// A character device 0:0: nothing else may happen there.
    Sealed,
}

impl Own {
    fn is_leaf(self) -> bool {
        matches!(self, Self::Leaf | Self::Link)
    }
}

struct Draft<'a> {
    /// All paths that lower layers speak of.
    lower: &'a BTreeSet<Vec<u8>>,
    ops: Vec<Op>,
    /// What is there after the operations so far, implied directories too.
    own: BTreeMap<Vec<u8>, Own>,
    /// The paths of whiteouts and opaque markers.
    marked: BTreeSet<Vec<u8>>,
}

impl Draft<'_> {
    /// One more operation, unless the dice name one that is not legal.
    fn step(&mut self, rng: &mut Rng) {
        let path = self.path(rng);
        match rng.below(100) {
            0..25 => self.put(rng, path, What::Dir),
            25..65 => {
                let leaf = names::leaf(rng);
                self.put(rng, path, leaf);
            }
            65..77 => {
                let leaves: Vec<_> = self.own.iter().filter(|(_, own)| own.is_leaf()).collect();
                if let Some((target, _)) = rng.pick(&leaves) {
                    let target = What::Hardlink((*target).clone());
                    self.put(rng, path, target);
                }
            }
            77..91 => {
                let victim = self.victim(rng, path);
                self.whiteout(rng, victim);
            }
            91..96 => {
                let victim = self.victim(rng, path);
                self.opaque(rng, victim);
            }
            96..98 => self.put(rng, path, What::Char(0, 0)),
            _ => self.put(rng, Vec::new(), What::Dir),
        }
    }

    /// Mostly something that is there to be hidden.
    fn victim(&self, rng: &mut Rng, path: Vec<u8>) -> Vec<u8> {
        let lower: Vec<_> = self.lower.iter().collect();
        let known = if rng.chance(70) { rng.pick(&lower) } else { None };
        known.map_or(path, |known| known.to_vec())
    }

    fn path(&self, rng: &mut Rng) -> Vec<u8> {
        let lower: Vec<_> = self.lower.iter().collect();
        let own: Vec<_> = self.own.keys().collect();
        let known = match rng.below(10) {
            0..5 => rng.pick(&lower),
            5..9 => rng.pick(&own),
            _ => None,
        };
        let known = known.map_or(Vec::new(), |path| path.to_vec());
        if rng.chance(40) {
            return known;
        }
        let child = join(&known, &names::name(rng));
        if rng.chance(10) { join(&child, &names::name(rng)) } else { child }
    }

    /// Whether something may be at a path, for all that is above it.
    fn reachable(&self, path: &[u8]) -> bool {
        let above = |dir| self.own.get(dir).is_none_or(|own| *own == Own::Dir);
        ancestors(path).all(above)
            && ancestors(path).count() <= 6
            && self.own.get(path) != Some(&Own::Sealed)
    }

    fn put(&mut self, rng: &mut Rng, path: Vec<u8>, what: What) {
        let allowed = match (self.own.get(&path), &what) {
            (Some(Own::Sealed), _) => false,
            (Some(Own::Dir) | None, What::Dir) => true,
            (Some(Own::Leaf | Own::Link), What::Dir) => {
                let marked = |mark: &Vec<u8>| *mark == path || is_below(mark, &path);
                !self.lower.contains(&path) && !self.marked.iter().any(marked)
            }
            (Some(_), What::Char(0, 0)) => false,
            (None, What::Char(0, 0)) => !self.marked.contains(&path),
            (Some(Own::Dir), What::Hardlink(_)) => false,
            (_, What::Hardlink(target)) => *target != path,
            (Some(Own::Dir), _) => !path.is_empty() && rng.chance(30),
            (Some(Own::Leaf | Own::Link) | None, _) => true,
        };
        if !allowed || !self.reachable(&path) {
            return;
        }
        let own = match &what {
            What::Dir => Own::Dir,
            What::Char(0, 0) => Own::Sealed,
            What::Symlink(_) => Own::Link,
            What::Hardlink(target) => self.own[target],
            _ => Own::Leaf,
        };
        if own != Own::Dir {
            self.own.retain(|other, _| !is_below(other, &path));
        }
        self.imply(&path);
        self.own.insert(path.clone(), own);
        let attr = names::attr(rng, &what);
        self.ops.push(Op { path, what, attr });
    }

    fn whiteout(&mut self, rng: &mut Rng, path: Vec<u8>) {
        /// The name of the marker has four bytes more.
        const MAX: usize = 251;
        let name = path.rsplit(|&byte| byte == b'/').next().map_or(0, <[u8]>::len);
        if !(1..=MAX).contains(&name) || self.own.get(&path) == Some(&Own::Sealed) {
            return;
        }
        if self.reachable(&path) {
            self.imply(&path);
            self.mark(rng, path, What::Whiteout);
        } else if self.is_below_leaf(&path) {
            self.mark(rng, path, What::Whiteout);
        }
    }

    fn opaque(&mut self, rng: &mut Rng, path: Vec<u8>) {
        let own = self.own.get(&path);
        if path.is_empty() && !rng.chance(20) || matches!(own, Some(Own::Sealed | Own::Link)) {
            return;
        }
        if own == Some(&Own::Leaf) || self.is_below_leaf(&path) {
            self.mark(rng, path, What::Opaque);
        } else if self.reachable(&path) {
            self.imply(&path);
            self.own.insert(path.clone(), Own::Dir);
            self.mark(rng, path, What::Opaque);
        }
    }

    /// Whether a marker would stand below a file, where it hides what the file hides already.
    /// umoci writes such for a directory that a file replaces.
    fn is_below_leaf(&self, path: &[u8]) -> bool {
        let mut above = ancestors(path).filter_map(|dir| self.own.get(dir));
        above.next() == Some(&Own::Leaf)
    }

    fn mark(&mut self, rng: &mut Rng, path: Vec<u8>, what: What) {
        self.marked.insert(path.clone());
        let attr = names::attr(rng, &What::Fifo);
        self.ops.push(Op { path, what, attr });
    }

    fn imply(&mut self, path: &[u8]) {
        for dir in ancestors(path) {
            self.own.entry(dir.to_vec()).or_insert(Own::Dir);
        }
    }
}
