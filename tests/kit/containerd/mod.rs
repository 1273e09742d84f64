//! What containerd 2.4.2 makes of a stack, in memory: the events of `applyNaive` one after the other.
//!
//! It is held against containerd itself, by `tests/wild/containerd.rs`, and so it knows where
//! containerd leaves the rules. Each time that it does, the paths are noted with the reason: a
//! difference between the library and containerd without one is an error of either.

mod explain;
mod fs;
mod why;

pub use explain::{Reasons, explain};
pub use fs::Fs;
pub use why::{Failed, Why};

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use fs::State;

use crate::layer::{Attr, Op, What, ancestors, is_below, join, parent};

/// Extracts layers, the lowest first.
///
/// # Errors
/// As [`Failed`] has it.
pub fn apply<'a>(layers: impl IntoIterator<Item = &'a [Op]>) -> Result<Fs, Failed> {
    let mut fs = Fs::default();
    for ops in layers {
        let mut events = Events::new(fs);
        ops.iter().try_for_each(|op| events.op(op))?;
        fs = events.end()?;
    }
    Ok(fs)
}

/// The events of one layer.
#[derive(Clone, Debug, Default)]
pub struct Events {
    fs: Fs,
    before: Fs,
    /// What this layer has put, and directories that it needed.
    mine: BTreeSet<Vec<u8>>,
    /// `unpackedPaths` and `opaqueDirs`.
    unpacked: BTreeSet<Vec<u8>>,
    opaque: BTreeSet<Vec<u8>>,
    dirs: Vec<(Vec<u8>, (i64, u32))>,
    /// Lower links that were followed, and where to.
    followed: Vec<(Vec<u8>, Vec<u8>)>,
    /// Its own relative links that a lower link has led elsewhere, and where they lead by
    /// their paths in the layer.
    moved: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What this layer has put and a marker of it removed.
    lost: BTreeSet<Vec<u8>>,
    /// Its own links, where they are by the rules, whatever its markers remove.
    own_links: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What this layer has removed.
    removed: BTreeSet<Vec<u8>>,
}

impl Events {
    /// Those of a layer over what is there.
    #[must_use]
    pub fn new(fs: Fs) -> Self {
        Self { before: fs.clone(), fs, ..Self::default() }
    }

    /// One more operation.
    ///
    /// # Errors
    /// As [`Failed`] has it.
    pub fn op(&mut self, op: &Op) -> Result<(), Failed> {
        let opaque = op.what == What::Opaque;
        let above = if opaque { Some(&op.path[..]) } else { parent(&op.path) };
        let (dir, links) = self.fs.walk(above.unwrap_or_default())?;
        let name = op.path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        if !opaque && op.path.is_empty() {
            return Ok(());
        }
        let path = if opaque { dir.clone() } else { join(&dir, name) };
        for link in links.iter().filter(|link| !self.mine.contains(*link)) {
            self.followed.push((link.clone(), path.clone()));
        }
        for (to, why) in self.elsewhere(&links, &path) {
            self.fs.note(&to, why);
        }
        let led = self.fs.leads(above.unwrap_or_default(), &self.own_links);
        let other = led != dir;
        let led = if opaque { led } else { join(&led, name) };
        if !op.what.is_marker() {
            let dir = op.what == What::Dir;
            self.own_links.retain(|link, _| *link != led && (dir || !is_below(link, &led)));
            let to = match &op.what {
                What::Symlink(to) => Some(to.clone()),
                What::Hardlink(target) => self.fs.link(target),
                _ => None,
            };
            for path in [&led, &op.path] {
                self.own_links.extend(to.clone().map(|to| (path.clone(), to)));
            }
        }
        if other {
            let made = ancestors(&led).filter(|dir| !self.fs.is_dir(dir));
            let both = made.chain([&led[..], &path]);
            both.for_each(|path| self.fs.note(path, Why::OwnRemoved));
        }
        self.parents(&dir, op.what.is_marker())?;
        match &op.what {
            What::Whiteout => self.remove(&path, true),
            What::Opaque => {
                if self.opaque.insert(path.clone()) {
                    for below in self.fs.below(&path) {
                        if !self.unpacked.contains(&below) {
                            self.remove(&below, true);
                        }
                    }
                }
            }
            _ => self.put(op, path)?,
        }
        Ok(())
    }

    /// The paths that differ because links do not lead where the rules have them lead: a relative
    /// one of the layer that a lower link has put elsewhere, and a lower one that leads through what
    /// the layer has put.
    fn elsewhere(&self, links: &[Vec<u8>], path: &[u8]) -> Vec<(Vec<u8>, Why)> {
        let (mut paths, none) = (Vec::new(), BTreeMap::new());
        for link in links {
            if let Some(to) = self.moved.get(link) {
                paths.extend([path.to_vec(), to.clone(), self.fs.leads(to, &none)]);
            }
            let led = self.before.leads(link, &none);
            if !self.mine.contains(link) && led != self.fs.leads(link, &none) {
                paths.extend([path.to_vec(), led]);
            }
        }
        let missing = |dir: &&[u8]| !self.fs.is_dir(dir);
        let made: Vec<Vec<u8>> = paths
            .iter()
            .flat_map(|path| ancestors(path).filter(missing).map(<[u8]>::to_vec))
            .collect();
        paths.into_iter().chain(made).map(|path| (path, Why::LinkMoved)).collect()
    }

    /// `mkparent`.
    fn parents(&mut self, dir: &[u8], marker: bool) -> Result<(), Failed> {
        for dir in ancestors(dir).collect::<Vec<_>>().into_iter().rev().chain([dir]) {
            match self.fs.get(dir) {
                Some(state) if state.borrow().what == What::Dir => {}
                Some(_) => return Err(Failed::BelowFile),
                None => {
                    let mut state = State::new(What::Dir, Attr::implied());
                    state.clock = true;
                    self.make(dir, state);
                    self.mine.insert(dir.to_vec());
                    if marker {
                        self.fs.note(dir, Why::MarkerDir);
                    }
                }
            }
        }
        Ok(())
    }

    /// A new inode, of the group of a directory that hands it on.
    fn make(&mut self, path: &[u8], mut state: State) {
        let dir = parent(path).and_then(|dir| self.fs.get(dir)).expect("what it is in is made");
        if dir.borrow().attr.mode & 0o2000 != 0 {
            state.attr.gid = dir.borrow().attr.gid;
            self.fs.note(path, Why::SetGid);
        }
        self.fs.insert(path, Rc::new(RefCell::new(state)));
    }

    fn remove(&mut self, path: &[u8], marker: bool) {
        if self.fs.get(path).is_none() {
            return;
        }
        let gone = [vec![path.to_vec()], self.fs.below(path)].concat();
        for path in &gone {
            if marker && self.lost.iter().any(|lost| is_below(lost, path)) {
                self.fs.note(path, Why::OwnRemoved);
            }
            if marker && self.mine.remove(path) {
                self.lost.insert(path.clone());
                // Directories that were there before it are the layer's too, by the rules.
                let around = ancestors(path).filter(|dir| gone.iter().any(|gone| gone == dir));
                around.chain([&path[..]]).for_each(|path| self.fs.note(path, Why::OwnRemoved));
            }
            let through = self.followed.iter().filter(|(link, _)| link == path);
            for (link, spot) in through.cloned().collect::<Vec<_>>() {
                let made = ancestors(&spot).filter(|dir| self.mine.contains(*dir));
                let around = ancestors(&link).filter(|dir| gone.iter().any(|gone| gone == dir));
                for path in made.chain(around).chain([&link[..], &spot]) {
                    self.fs.note(path, Why::LinkGone);
                }
            }
        }
        self.removed.extend(gone);
        self.fs.remove(path);
    }

    fn put(&mut self, op: &Op, path: Vec<u8>) -> Result<(), Failed> {
        let old = self.fs.get(&path).map(|state| state.borrow().what == What::Dir);
        if old.is_some() && !(old == Some(true) && op.what == What::Dir) {
            self.remove(&path, false);
        }
        match &op.what {
            What::Dir if old == Some(true) => {
                if op.attr.uid == u32::MAX || op.attr.gid == u32::MAX {
                    self.fs.note(&path, Why::Unowned);
                }
                self.fs.note(&path, Why::DirKeeps);
                if self.unpacked.contains(&path) {
                    self.fs.note(&path, Why::TwoWays);
                }
            }
            What::Hardlink(target) => {
                let state = self.target(target, &path)?;
                self.fs.insert(&path, state);
                for name in self.fs.names(&path) {
                    self.fs.note(&name, Why::HardLink);
                }
            }
            what => {
                self.make(&path, State::new(what.clone(), Attr::of(0)));
            }
        }
        let state = self.fs.get(&path).expect("it was put");
        state.borrow_mut().describe(op);
        if op.what == What::Dir {
            self.dirs.push((op.path.clone(), op.attr.mtime));
        }
        self.moved.remove(&path);
        if let What::Symlink(to) = &op.what
            && !to.starts_with(b"/")
            && op.path != path
        {
            let named = join(parent(&op.path).unwrap_or_default(), to);
            self.moved.insert(path.clone(), lexical(&named));
        }
        self.unpacked.insert(path.clone());
        self.mine.insert(path);
        Ok(())
    }

    fn target(&mut self, target: &[u8], from: &[u8]) -> Result<Rc<RefCell<State>>, Failed> {
        let (dir, links) = self.fs.walk(parent(target).unwrap_or_default())?;
        let name = target.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let to = join(&dir, name);
        let lower = links.iter().any(|link| !self.mine.contains(link));
        let changed = |path: &[u8]| self.removed.contains(path) || self.fs.is_noted(path);
        let own = changed(&to) || ancestors(&to).any(changed) || lower;
        let state = self.fs.get(&to).ok_or(Failed::NoTarget { own })?;
        if state.borrow().what == What::Dir {
            return Err(Failed::Directory { own });
        }
        let touched = self.mine.contains(&to) || self.removed.contains(&to);
        let moved = links.iter().any(|link| self.moved.contains_key(link));
        if self.fs.is_noted(&to) || lower && touched || moved {
            self.fs.note(from, Why::LinkTime);
        }
        Ok(state)
    }

    /// The times of directories, by their names of long ago.
    ///
    /// # Errors
    /// As [`Failed`] has it.
    pub fn end(self) -> Result<Fs, Failed> {
        for (path, mtime) in self.dirs {
            let (now, _) = self.fs.walk_file(&path)?;
            let state = self.fs.get(&now).ok_or(Failed::DirGone)?;
            let mut state = state.borrow_mut();
            if state.what != What::Dir || now != path {
                self.fs.note(&now, Why::DirTime);
            }
            state.attr.mtime = fs::bound(mtime);
            state.clock = false;
        }
        Ok(self.fs)
    }
}

/// A path without dots.
fn lexical(path: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|&byte| byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join(&b'/')
}
