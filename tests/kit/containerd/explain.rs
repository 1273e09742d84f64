//! Why two trees differ.

use std::collections::{BTreeMap, BTreeSet};

use super::Why;
use super::fs::{Fs, bound};
use crate::dump::{Kind, Node, Show, Tree};

/// How often each reason explained a difference, and the differences that none explains.
#[derive(Debug, Default)]
pub struct Reasons {
    /// The reasons.
    pub found: BTreeMap<Why, u64>,
    /// Lines for a person to read.
    pub unexplained: Vec<String>,
}

/// Compares what the rules make of a stack with what containerd makes of it, whose model is `fs`.
/// The folder in which aufs hides its files is left out: containerd shows it.
#[must_use]
pub fn explain(rules: &Tree, theirs: &Tree, fs: &Fs) -> Reasons {
    let (rules, theirs) = (shown(rules), shown(theirs));
    let (_, clock) = fs.tree();
    let mut reasons = Reasons::default();
    let names = [names(&rules), names(&theirs)];
    let paths: BTreeSet<&Vec<u8>> = rules.0.keys().chain(theirs.0.keys()).collect();
    for path in paths {
        // What holds for one name of an inode holds for all.
        let mates = names.iter().filter_map(|names| names.get(path)).flatten();
        let noted: BTreeSet<Why> = mates.chain([path]).flat_map(|name| fs.whys(name)).collect();
        let differences = match (rules.0.get(path), theirs.0.get(path)) {
            (Some(a), Some(b)) if same_content(a, b) => {
                let links = names[0].get(path) != names[1].get(path);
                let links = links.then(|| ("names of the inode".into(), vec![]));
                links.into_iter().chain(attributes(a, b)).collect()
            }
            (Some(_), Some(_)) => vec![("content".into(), vec![])],
            (Some(_), None) => vec![("is missing".into(), vec![])],
            _ => vec![("is there".into(), vec![])],
        };
        for (what, may) in differences {
            let holds = |why: &&Why| match why {
                Why::Root => path.is_empty(),
                Why::Clock => clock.contains(path),
                // What their place or value alone tells.
                Why::TimeBound | Why::Trusted => true,
                why => noted.contains(why),
            };
            let placed = noted.iter().filter(|why| why.is_placed());
            match may.iter().filter(holds).chain(placed).next() {
                Some(why) => *reasons.found.entry(*why).or_default() += 1,
                None => reasons.unexplained.push(format!("{}: {what}", Show(path))),
            }
        }
    }
    reasons
}

fn same_content(a: &Node, b: &Node) -> bool {
    (a.kind, a.size, a.rdev, &a.target, a.sha256) == (b.kind, b.size, b.rdev, &b.target, b.sha256)
}

/// The attributes that differ, each with the reasons that it may have.
fn attributes(a: &Node, b: &Node) -> Vec<(String, Vec<Why>)> {
    let mut all = Vec::new();
    if a.mode != b.mode {
        all.push(("mode".into(), vec![Why::Root, Why::HardLink, Why::TwoWays]));
    }
    if (a.uid, a.gid) != (b.uid, b.gid) {
        all.push((
            "owner".into(),
            vec![Why::Root, Why::HardLink, Why::Unowned, Why::SetGid, Why::TwoWays],
        ));
    }
    if a.mtime != b.mtime {
        let mut may = vec![Why::Root, Why::Clock, Why::DirTime, Why::HardLink, Why::TwoWays];
        if bound(a.mtime) == b.mtime {
            may.push(Why::TimeBound);
        }
        all.push(("time".into(), may));
    }
    let keys: BTreeSet<_> = a.xattrs.keys().chain(b.xattrs.keys()).collect();
    for key in keys.into_iter().filter(|key| a.xattrs.get(*key) != b.xattrs.get(*key)) {
        let mut may = vec![Why::Root, Why::DirKeeps, Why::TwoWays];
        if key.starts_with(b"trusted.") {
            may.push(Why::Trusted);
        }
        if &key[..] == b"security.capability" {
            may.push(Why::HardLink);
        }
        all.push((format!("attribute {}", Show(key)), may));
    }
    all
}

/// Without what containerd shows of aufs.
fn shown(tree: &Tree) -> Tree {
    let nodes = tree.0.iter().filter(|(path, _)| !path.starts_with(b".wh..wh."));
    Tree(nodes.map(|(path, node)| (path.clone(), node.clone())).collect())
}

/// For each path that is no directory all names of its inode.
fn names(tree: &Tree) -> BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> {
    let mut names: BTreeMap<&Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
    let leaves: Vec<_> = tree.0.iter().filter(|(_, node)| node.kind != Kind::Dir).collect();
    for (path, node) in &leaves {
        names.entry(&node.link).or_default().insert((*path).clone());
    }
    leaves.iter().map(|(path, node)| ((*path).clone(), names[&node.link].clone())).collect()
}
