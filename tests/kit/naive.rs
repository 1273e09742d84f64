//! What a stack of layers means, in memory: slow, short, and written from the rules alone.
//!
//! It exists to disagree with the other two, overlayfs and the library. One thing only it and the
//! library can know: an implied directory leaves the attributes of a lower directory alone, also
//! where its children are hidden by an opaque marker; a directory that the layer whites out and
//! then implies again is a new one.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::dump::{Kind, Node, Tree};
use crate::layer::{Attr, Op, What, ancestors, is_below, parent};

/// Merges layers, the lowest first, as OCI has it.
///
/// # Panics
/// When a layer is not legal, such as a hard link to nothing.
#[must_use]
pub fn naive_merge<'a>(layers: impl IntoIterator<Item = &'a [Op]>) -> Tree {
    let mut merged: BTreeMap<Vec<u8>, Own> = BTreeMap::new();
    merged.insert(Vec::new(), Own::Dir(Some(Attr::implied())));
    for (number, ops) in layers.into_iter().enumerate() {
        apply(&mut merged, Layer::read(number, ops));
    }
    tree(&merged)
}

/// What one layer has at a path.
#[derive(Clone)]
enum Own {
    /// Without attributes when it is implied.
    Dir(Option<Attr>),
    /// Names of one number are one inode.
    Leaf { inode: (usize, usize), what: What, attr: Attr },
}

struct Layer {
    own: BTreeMap<Vec<u8>, Own>,
    whiteouts: BTreeSet<Vec<u8>>,
    opaque: BTreeSet<Vec<u8>>,
}

impl Layer {
    fn read(number: usize, ops: &[Op]) -> Self {
        let mut own = BTreeMap::from([(Vec::new(), Own::Dir(None))]);
        let (mut whiteouts, mut opaque) = (BTreeSet::new(), BTreeSet::new());
        for (index, op) in ops.iter().enumerate() {
            // A marker below a file, or at one, hides nothing that the file does not.
            let is_leaf = |path: &[u8]| matches!(own.get(path), Some(Own::Leaf { .. }));
            if op.what == What::Opaque && is_leaf(&op.path)
                || op.what.is_marker() && ancestors(&op.path).any(is_leaf)
            {
                continue;
            }
            for dir in ancestors(&op.path) {
                let entry = own.entry(dir.to_vec()).or_insert(Own::Dir(None));
                assert!(matches!(entry, Own::Dir(_)), "{op:?} lies below a file");
            }
            let leaf = match &op.what {
                What::Whiteout => {
                    whiteouts.insert(op.path.clone());
                    continue;
                }
                What::Opaque => {
                    own.entry(op.path.clone()).or_insert(Own::Dir(None));
                    opaque.insert(op.path.clone());
                    continue;
                }
                What::Dir => {
                    own.insert(op.path.clone(), Own::Dir(Some(op.attr.clone())));
                    continue;
                }
                What::Hardlink(target) => match own.get(target) {
                    Some(leaf @ Own::Leaf { .. }) => leaf.clone(),
                    _ => panic!("{op:?} links to nothing"),
                },
                what => {
                    Own::Leaf { inode: (number, index), what: what.clone(), attr: op.attr.clone() }
                }
            };
            own.retain(|path, _| !is_below(path, &op.path));
            own.insert(op.path.clone(), leaf);
        }
        Self { own, whiteouts, opaque }
    }
}

fn apply(merged: &mut BTreeMap<Vec<u8>, Own>, layer: Layer) {
    let is_whiteout = |own: &Own| matches!(own, Own::Leaf { what: What::Char(0, 0), .. });
    let devices = layer.own.iter().filter(|(_, own)| is_whiteout(own)).map(|(path, _)| path);
    for gone in layer.whiteouts.iter().chain(devices) {
        merged.retain(|path, _| path != gone && !is_below(path, gone));
    }
    for dir in &layer.opaque {
        merged.retain(|path, _| !is_below(path, dir));
    }
    for (path, own) in layer.own.into_iter().filter(|(_, own)| !is_whiteout(own)) {
        let upper = match (own, merged.get(&path)) {
            (Own::Dir(None), Some(Own::Dir(lower))) => Own::Dir(lower.clone()),
            (Own::Dir(attr), lower) => {
                debug_assert!(lower.is_some() || !path.is_empty(), "there is always a root");
                Own::Dir(Some(attr.unwrap_or_else(Attr::implied)))
            }
            (leaf, _) => {
                merged.retain(|lower, _| !is_below(lower, &path));
                leaf
            }
        };
        merged.insert(path, upper);
    }
}

fn tree(merged: &BTreeMap<Vec<u8>, Own>) -> Tree {
    let mut groups: BTreeMap<(usize, usize), Vec<&Vec<u8>>> = BTreeMap::new();
    let mut subdirs: BTreeMap<&[u8], u64> = BTreeMap::new();
    for (path, own) in merged {
        match own {
            Own::Leaf { inode, .. } => groups.entry(*inode).or_default().push(path),
            Own::Dir(_) => *subdirs.entry(parent(path).unwrap_or(b"/")).or_default() += 1,
        }
    }
    let node = |path: &Vec<u8>, own: &Own| {
        let (what, attr) = match own {
            Own::Dir(attr) => (&What::Dir, attr.as_ref().expect("merged directories have them")),
            Own::Leaf { what, attr, .. } => (what, attr),
        };
        let (link, nlink) = match own {
            Own::Dir(_) => (path, 2 + subdirs.get(&path[..]).copied().unwrap_or(0)),
            Own::Leaf { inode, .. } => (groups[inode][0], groups[inode].len() as u64),
        };
        let mut node = Node {
            kind: Kind::Dir,
            mode: attr.mode,
            uid: attr.uid,
            gid: attr.gid,
            mtime: attr.mtime,
            size: 0,
            rdev: (0, 0),
            target: None,
            xattrs: attr.xattrs.clone(),
            sha256: None,
            link: link.clone(),
            nlink,
        };
        match what {
            What::File(content) => {
                node.kind = Kind::File;
                node.size = content.len() as u64;
                node.sha256 = Some(Sha256::digest(content).into());
            }
            What::Symlink(target) => {
                node.kind = Kind::Symlink;
                node.size = target.len() as u64;
                node.target = Some(target.clone());
            }
            What::Char(major, minor) => (node.kind, node.rdev) = (Kind::Char, (*major, *minor)),
            What::Block(major, minor) => (node.kind, node.rdev) = (Kind::Block, (*major, *minor)),
            What::Fifo => node.kind = Kind::Fifo,
            What::Dir | What::Hardlink(_) | What::Whiteout | What::Opaque => {}
        }
        node
    };
    Tree(merged.iter().map(|(path, own)| (path.clone(), node(path, own))).collect())
}
