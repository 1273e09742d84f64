//! The result in the shape of a dump.

use std::collections::BTreeMap;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::Merged;
use super::apply::Node;
use crate::dump::{self, Kind, Tree};
use crate::layer::{Attr, What, parent};

impl Merged {
    /// All of it, as a filesystem shows it.
    #[must_use]
    pub fn tree(&self) -> Tree {
        let mut names: BTreeMap<usize, Vec<&Vec<u8>>> = BTreeMap::new();
        let mut subdirs: BTreeMap<&[u8], u64> = BTreeMap::new();
        for (path, node) in &self.0 {
            match (node, parent(path)) {
                (Node::Leaf(inode), _) => {
                    names.entry(Rc::as_ptr(inode) as usize).or_default().push(path);
                }
                (Node::Dir(_), Some(above)) => *subdirs.entry(above).or_default() += 1,
                (Node::Dir(_), None) => {}
            }
        }
        let shown = |path: &Vec<u8>, node: &Node| match node {
            Node::Dir(attr) => {
                let nlink = 2 + subdirs.get(&path[..]).copied().unwrap_or(0);
                dump::Node { nlink, ..bare(path, attr) }
            }
            Node::Leaf(inode) => {
                let names = &names[&(Rc::as_ptr(inode) as usize)];
                let mut node = bare(names[0], &inode.attr);
                node.nlink = names.len() as u64;
                fill(&mut node, &inode.what);
                node
            }
        };
        Tree(self.0.iter().map(|(path, node)| (path.clone(), shown(path, node))).collect())
    }
}

/// A directory with these attributes, whose smallest name is `link`.
pub(crate) fn bare(link: &[u8], attr: &Attr) -> dump::Node {
    dump::Node {
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
        link: link.to_vec(),
        nlink: 0,
    }
}

/// Makes it what it is.
pub(crate) fn fill(node: &mut dump::Node, what: &What) {
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
}
