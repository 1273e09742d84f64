//! A file system as system calls change it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::why::reaches;
use super::{Failed, Why};
use crate::dump::{self, Tree};
use crate::layer::{Attr, Op, What, is_below, join, parent};
use crate::naive::{bare, fill};

/// One inode.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) what: What,
    pub(super) attr: Attr,
    /// Whether its time is that of the extraction.
    pub(super) clock: bool,
}

impl State {
    pub(super) fn new(what: What, attr: Attr) -> Self {
        Self { what, attr, clock: false }
    }

    /// `lchown`, `lsetxattr`, `lchmod`, `utimensat`, with what the header says.
    pub(super) fn describe(&mut self, op: &Op) {
        if matches!(op.what, What::Hardlink(_)) {
            self.attr.xattrs.remove(&b"security.capability"[..]);
        } else {
            for (key, value) in &op.attr.xattrs {
                let known = key.starts_with(b"user.") || key.starts_with(b"security.");
                if known {
                    self.attr.xattrs.insert(key.clone(), value.clone());
                }
            }
        }
        for (id, new) in [(&mut self.attr.uid, op.attr.uid), (&mut self.attr.gid, op.attr.gid)] {
            if new != u32::MAX {
                *id = new;
            }
        }
        self.attr.mode = if matches!(self.what, What::Symlink(_)) { 0o777 } else { op.attr.mode };
        self.attr.mtime = bound(op.attr.mtime);
        self.clock = false;
    }
}

/// `boundTime`: what a count of nanoseconds in 63 bits holds.
pub(super) fn bound((secs, nanos): (i64, u32)) -> (i64, u32) {
    let total = i128::from(secs) * 1_000_000_000 + i128::from(nanos);
    if (0..=i128::from(i64::MAX)).contains(&total) { (secs, nanos) } else { (0, 0) }
}

/// Paths and inodes, and why some of them are not what the rules say.
#[derive(Debug)]
pub struct Fs {
    nodes: BTreeMap<Vec<u8>, Rc<RefCell<State>>>,
    why: RefCell<BTreeMap<Vec<u8>, BTreeSet<Why>>>,
}

impl Default for Fs {
    fn default() -> Self {
        let root = Rc::new(RefCell::new(State::new(What::Dir, Attr::implied())));
        Self { nodes: BTreeMap::from([(Vec::new(), root)]), why: RefCell::default() }
    }
}

/// A copy changes without the original.
impl Clone for Fs {
    fn clone(&self) -> Self {
        let mut inodes = BTreeMap::new();
        let mut copy = |state: &Rc<RefCell<State>>| {
            let new = || Rc::new(RefCell::new(state.borrow().clone()));
            Rc::clone(inodes.entry(Rc::as_ptr(state)).or_insert_with(new))
        };
        let nodes = self.nodes.iter().map(|(path, state)| (path.clone(), copy(state)));
        Self { nodes: nodes.collect(), why: self.why.clone() }
    }
}

impl Fs {
    /// All paths, the root first.
    pub fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.nodes.keys().map(Vec::as_slice)
    }

    pub(super) fn get(&self, path: &[u8]) -> Option<Rc<RefCell<State>>> {
        self.nodes.get(path).cloned()
    }

    pub(super) fn insert(&mut self, path: &[u8], state: Rc<RefCell<State>>) {
        self.nodes.insert(path.to_vec(), state);
        self.touch(path);
    }

    pub(super) fn remove(&mut self, path: &[u8]) {
        self.nodes.retain(|other, _| other != path && !is_below(other, path));
        self.touch(path);
    }

    /// The time of the directory that a path is in.
    fn touch(&self, path: &[u8]) {
        if let Some(dir) = parent(path).and_then(|dir| self.nodes.get(dir)) {
            dir.borrow_mut().clock = true;
        }
    }

    pub(super) fn below(&self, dir: &[u8]) -> Vec<Vec<u8>> {
        self.nodes.keys().filter(|path| is_below(path, dir)).cloned().collect()
    }

    /// All names of what is at a path.
    pub(super) fn names(&self, path: &[u8]) -> Vec<Vec<u8>> {
        let state = &self.nodes[path];
        let same = self.nodes.iter().filter(|(_, other)| Rc::ptr_eq(other, state));
        same.map(|(path, _)| path.clone()).collect()
    }

    pub(super) fn note(&self, path: &[u8], why: Why) {
        self.why.borrow_mut().entry(path.to_vec()).or_default().insert(why);
    }

    /// Whether a path may hold something else than the rules say.
    pub(super) fn is_noted(&self, path: &[u8]) -> bool {
        self.whys(path).iter().any(|why| why.is_placed())
    }

    /// The reasons that hold for a path.
    pub(super) fn whys(&self, path: &[u8]) -> BTreeSet<Why> {
        let why = self.why.borrow();
        let all = why.iter().flat_map(|(noted, whys)| whys.iter().map(move |why| (noted, *why)));
        all.filter(|(noted, why)| reaches(*why, noted, path)).map(|(_, why)| why).collect()
    }

    /// `fs.RootPath`: where a directory's path leads, and the links on the way.
    pub(super) fn walk(&self, path: &[u8]) -> Result<(Vec<u8>, Vec<Vec<u8>>), Failed> {
        let (to, links) = self.walk_file(path)?;
        match self.nodes.get(&to) {
            Some(state) if state.borrow().what != What::Dir => Err(Failed::BelowFile),
            _ => Ok((to, links)),
        }
    }

    /// Where the symbolic link leads that a hard link is to.
    pub(super) fn link(&self, target: &[u8]) -> Option<Vec<u8>> {
        let (dir, _) = self.walk(parent(target)?).ok()?;
        let name = target.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        match &self.nodes.get(&join(&dir, name))?.borrow().what {
            What::Symlink(to) => Some(to.clone()),
            _ => None,
        }
    }

    pub(super) fn is_dir(&self, path: &[u8]) -> bool {
        self.nodes.get(path).is_some_and(|state| state.borrow().what == What::Dir)
    }

    /// Where a path leads by the rules, which have directories where lower layers have files, and
    /// the layer's own links where its markers have removed them.
    pub(super) fn leads(&self, path: &[u8], links: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
        self.steps(path, Some(links)).map_or_else(|_| path.to_vec(), |(to, _)| to)
    }

    /// The same as [`walk`](Self::walk), where the path may be a file's.
    pub(super) fn walk_file(&self, path: &[u8]) -> Result<(Vec<u8>, Vec<Vec<u8>>), Failed> {
        self.steps(path, None)
    }

    fn steps(
        &self,
        path: &[u8],
        rules: Option<&BTreeMap<Vec<u8>, Vec<u8>>>,
    ) -> Result<(Vec<u8>, Vec<Vec<u8>>), Failed> {
        let names = |path: &[u8]| -> Vec<Vec<u8>> {
            path.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec).collect()
        };
        let (mut todo, mut here, mut links) = (names(path), Vec::new(), Vec::new());
        while let Some(name) = todo.pop() {
            match &name[..] {
                b"" | b"." => continue,
                b".." => here = parent(&here).unwrap_or_default().to_vec(),
                _ => {
                    if rules.is_none() && self.nodes.contains_key(&here) && !self.is_dir(&here) {
                        return Err(Failed::BelowFile);
                    }
                    let next = join(&here, &name);
                    let own = rules.and_then(|rules| rules.get(&next)).cloned();
                    let there = || match &self.nodes.get(&next)?.borrow().what {
                        What::Symlink(target) => Some(target.clone()),
                        _ => None,
                    };
                    let Some(target) = own.or_else(there) else {
                        here = next;
                        continue;
                    };
                    links.push(next);
                    if links.len() > 255 {
                        return Err(Failed::Loop);
                    }
                    if target.starts_with(b"/") {
                        here.clear();
                    }
                    todo.extend(names(&target));
                }
            }
        }
        Ok((here, links))
    }

    /// All of it, as a filesystem shows it, and the paths whose times are the extraction's.
    #[must_use]
    pub fn tree(&self) -> (Tree, BTreeSet<Vec<u8>>) {
        let mut names: BTreeMap<usize, Vec<&Vec<u8>>> = BTreeMap::new();
        let mut subdirs: BTreeMap<&[u8], u64> = BTreeMap::new();
        for (path, state) in &self.nodes {
            names.entry(Rc::as_ptr(state) as usize).or_default().push(path);
            if let (What::Dir, Some(above)) = (&state.borrow().what, parent(path)) {
                *subdirs.entry(above).or_default() += 1;
            }
        }
        let shown = |path: &Vec<u8>, state: &State, names: &[&Vec<u8>]| -> dump::Node {
            let mut node = bare(names[0], &state.attr);
            fill(&mut node, &state.what);
            node.nlink = match state.what {
                What::Dir => 2 + subdirs.get(&path[..]).copied().unwrap_or(0),
                _ => names.len() as u64,
            };
            node
        };
        let nodes = self.nodes.iter().map(|(path, state)| {
            let names = &names[&(Rc::as_ptr(state) as usize)];
            (path.clone(), shown(path, &state.borrow(), names))
        });
        let clock = self.nodes.iter().filter(|(_, state)| state.borrow().clock);
        (Tree(nodes.collect()), clock.map(|(path, _)| path.clone()).collect())
    }
}
