//! Stacks that ask what [`draft`](super::draft)'s do not: markers in directories that only markers
//! made, links as parents within a layer and across layers, hard links into lower layers, repeated
//! layers, hidden files of aufs, owners at the edge, foreign attributes.
//!
//! What is legal is asked of the naive model, an operation at a time. overlayfs can't be asked: it
//! follows no links, and knows no hard links between layers.

use super::names;
use crate::containerd::{Events, Fs};
use crate::layer::{Op, What, ancestors, join, parent};
use crate::naive::{Illegal, Layer, Merged};
use crate::rng::Rng;

/// Layers that are legal in the given way. In few stacks the last
/// operation is an error.
pub(super) fn layers(rng: &mut Rng, count: usize, way: Way) -> Vec<Vec<Op>> {
    let mut merged = Merged::new();
    let mut fs = matches!(way, Way::Extract | Way::Agree).then(Fs::default);
    let mut all: Vec<Vec<Op>> = Vec::new();
    for number in 0..count {
        let again = rng.pick(&all).filter(|_| rng.chance(15)).cloned();
        let mut draft = Draft::new(&merged, way, &fs);
        let again = again.is_some_and(|ops| ops.into_iter().all(|op| draft.take(op)));
        if !again {
            draft = Draft::new(&merged, way, &fs);
            for _ in 0..rng.below(25) {
                draft.step(rng);
            }
        }
        if number + 1 == count && rng.chance(5) {
            draft.wrong(rng);
        }
        let Draft { ops, layer, events, .. } = draft;
        fs = events.and_then(|events| events.end().ok());
        // An error, if there is one, is in the last layer.
        let _ = merged.apply(&layer, way != Way::Cover);
        all.push(ops);
    }
    all
}

/// What a stack is legal with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Links of lower layers that give way to directories.
    Cover,
    /// Links of lower layers that are followed.
    Follow,
    /// The same, and containerd extracts it without an error.
    Extract,
    /// The same, and the names are those of the rules.
    Agree,
}

struct Draft<'a> {
    merged: &'a Merged,
    way: Way,
    layer: Layer,
    ops: Vec<Op>,
    events: Option<Events>,
}

impl<'a> Draft<'a> {
    fn new(merged: &'a Merged, way: Way, fs: &Option<Fs>) -> Self {
        let events = fs.clone().map(Events::new);
        Self { merged, way, layer: Layer::default(), ops: Vec::new(), events }
    }

    /// Adds an operation, unless it is illegal.
    fn take(&mut self, op: Op) -> bool {
        let Ok((layer, merged)) = self.tried(&op) else { return false };
        if let Some(events) = &self.events {
            let mut events = events.clone();
            if events.op(&op).is_err() {
                return false;
            }
            let Ok(fs) = events.clone().end() else { return false };
            let hidden = |path: &&[u8]| !path.starts_with(b".wh..wh.");
            let same = || merged.paths().map(|(path, _)| path).eq(fs.paths().filter(hidden));
            if self.way == Way::Agree && !same() {
                return false;
            }
            self.events = Some(events);
        }
        self.layer = layer;
        self.ops.push(op);
        true
    }

    fn tried(&self, op: &Op) -> Result<(Layer, Merged), Illegal> {
        let (mut layer, mut merged) = (self.layer.clone(), self.merged.clone());
        layer.put(op)?;
        merged.apply(&layer, self.way != Way::Cover)?;
        Ok((layer, merged))
    }

    fn put(&mut self, rng: &mut Rng, path: Vec<u8>, what: What) -> bool {
        let mut attr = names::attr(rng, &what);
        for id in [&mut attr.uid, &mut attr.gid] {
            if rng.chance(8) {
                *id = rng.one(&[1 << 31, u32::MAX - 1, u32::MAX]);
            }
        }
        if rng.chance(5) {
            let foreign = ["com.apple.provenance", "system.nfs4_acl", "btrfs.compression"];
            attr.xattrs.insert(rng.one(&foreign).into(), vec![1, 2, 3]);
        }
        ancestors(&path).count() <= 7 && self.take(Op { path, what, attr })
    }

    fn step(&mut self, rng: &mut Rng) {
        let path = self.path(rng);
        match rng.below(100) {
            0..18 => drop(self.put(rng, path, What::Dir)),
            18..38 => {
                let leaf = leaf(rng);
                self.put(rng, path, leaf);
            }
            38..48 => {
                let target = self.leads(rng, &path);
                self.put(rng, path, What::Symlink(target));
            }
            48..58 => {
                let target = What::Hardlink(self.target(rng));
                self.put(rng, path, target);
            }
            58..72 => drop(self.put(rng, path, What::Whiteout)),
            72..79 => drop(self.put(rng, path, What::Opaque)),
            79..86 => self.nest(rng, &path),
            86..94 => {
                let own: Vec<Vec<u8>> = self.layer.paths().map(<[u8]>::to_vec).collect();
                let what = rng.one(&[What::Whiteout, What::Whiteout, What::Opaque]);
                let victim = rng.one(&[own, vec![path]].concat());
                self.put(rng, victim, what);
            }
            94..97 => self.hidden(rng, path),
            _ => drop(self.put(rng, Vec::new(), What::Dir)),
        }
    }

    /// Markers in a directory, or in one below it, that nothing else may be in.
    fn nest(&mut self, rng: &mut Rng, path: &[u8]) {
        let mut dir = path.to_vec();
        for _ in 0..rng.below(3) {
            dir = join(&dir, &names::name(rng));
        }
        let gone = join(&dir, &names::name(rng));
        self.put(rng, gone, What::Whiteout);
        if rng.chance(30) {
            self.put(rng, dir, What::Opaque);
        }
    }

    /// A file that aufs hides, and names of it.
    fn hidden(&mut self, rng: &mut Rng, path: Vec<u8>) {
        let number = format!("{}.{}", rng.below(3), rng.below(3));
        let file = [b".wh..wh.plnk/", number.as_bytes()].concat();
        let content = leaf_content(rng);
        self.put(rng, file.clone(), What::File(content));
        self.put(rng, path, What::Hardlink(file.clone()));
        if rng.chance(50) {
            let path = self.path(rng);
            self.put(rng, path, What::Hardlink(file));
        }
    }

    /// Something that the rules call an error, if the dice find one.
    fn wrong(&mut self, rng: &mut Rng) {
        for _ in 0..50 {
            let path = self.path(rng);
            let what = if rng.chance(50) { leaf(rng) } else { What::Hardlink(self.path(rng)) };
            let op = Op::new(path, what);
            // What a file at the root is spelled like, readers take for a directory.
            if !op.path.is_empty() && matches!(self.tried(&op), Err(Illegal::Refused(_))) {
                let _ = self.layer.put(&op);
                self.ops.push(op);
                return;
            }
        }
    }

    /// All paths of this layer and those below, and where they lead if they are links.
    fn known(&self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let lower = self.merged.paths().map(|(path, link)| (path, link.map(<[u8]>::to_vec)));
        let own = self.ops.iter().filter(|op| !op.what.is_marker());
        let own = own.filter(|op| !op.path.starts_with(b".wh..wh."));
        let own = own.map(|op| match &op.what {
            What::Symlink(target) => (&op.path[..], Some(target.clone())),
            _ => (&op.path[..], None),
        });
        lower.chain(own).map(|(path, link)| (path.to_vec(), link)).collect()
    }

    fn path(&self, rng: &mut Rng) -> Vec<u8> {
        let known = self.known();
        let links: Vec<_> = known.iter().filter(|(_, link)| link.is_some()).collect();
        let (from, child) = match rng.below(10) {
            0..3 if !links.is_empty() => (rng.one(&links).0.clone(), 85),
            0..8 => (rng.one(&known).0, 55),
            _ => (Vec::new(), 100),
        };
        if !rng.chance(child) {
            return from;
        }
        let path = join(&from, &names::name(rng));
        if rng.chance(20) { join(&path, &names::name(rng)) } else { path }
    }

    /// A target for a symbolic link at `path`: mostly a directory, in one of many spellings.
    fn leads(&self, rng: &mut Rng, path: &[u8]) -> Vec<u8> {
        let known = self.known();
        let mut to = rng.one(&known).0;
        if to.is_empty() || rng.chance(15) {
            to = join(&to, &names::name(rng));
        }
        match rng.below(4) {
            0 => [b"/", &to[..]].concat(),
            1 => {
                let up = ancestors(path).count().saturating_sub(1);
                [&b"../".repeat(up)[..], &to].concat()
            }
            2 => [b"./", &to[..], b"/"].concat(),
            _ => to,
        }
    }

    /// A target for a hard link, mostly a leaf that is there, perhaps by way of a link.
    fn target(&self, rng: &mut Rng) -> Vec<u8> {
        let known = self.known();
        let target = rng.one(&known).0;
        let links: Vec<_> = known.iter().filter(|(_, link)| link.is_some()).collect();
        let name = target.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let same = |(_, link): &&&(Vec<u8>, Option<Vec<u8>>)| {
            let link = link.as_deref().unwrap_or_default();
            parent(&target).is_some_and(|dir| !dir.is_empty() && link.ends_with(dir))
        };
        match links.iter().find(same) {
            Some((link, _)) if rng.chance(70) => join(link, name),
            _ => target,
        }
    }
}

fn leaf(rng: &mut Rng) -> What {
    match names::leaf(rng) {
        What::File(_) if rng.chance(50) => What::File(leaf_content(rng)),
        What::Symlink(_) | What::Char(0, 0) => What::Fifo,
        leaf => leaf,
    }
}

/// Content with zeros in it, on the grid of 512 bytes and off it.
fn leaf_content(rng: &mut Rng) -> Vec<u8> {
    let unit = rng.one(&[1, 512, 512]);
    let mut content = Vec::new();
    for _ in 0..rng.below(6) {
        let len = 1 + rng.below(5) as usize;
        content.extend(rng.bytes(len * unit));
        let zeros = rng.below(8) as usize * rng.one(&[unit, unit, 37]);
        content.resize(content.len() + zeros, 0);
    }
    content
}
