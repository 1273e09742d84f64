//! Layers merged a second time, by other code: what `check --against` compares an image with.
//!
//! It is written from the rules, slow and short: sorted maps of names, no table, no ids but those
//! of the layers. It shares nothing with the library's merge, so that what one gets wrong the other
//! shows.

use std::collections::BTreeMap;

use erofs_tarfs::tree::{Attributes, Content, InodeId, NodeKind, Tree};

use crate::check::overlay_marks;
use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::layers::loaded::Loaded;

/// Symbolic links on the way to the target of a hard link.
const LINKS: usize = 255;

/// An inode of a layer.
pub(crate) type LayerInode = (usize, InodeId);

/// What a name leads to: the index of a node.
pub(crate) type NodeIndex = usize;

/// The root.
pub(crate) const ROOT: NodeIndex = 0;

/// What is at a path.
#[derive(Debug)]
pub(crate) enum Node {
    /// The inode whose attributes it has, if any layer lists it, and what is in it.
    Directory(Option<LayerInode>, BTreeMap<Vec<u8>, NodeIndex>),
    /// Anything else, by its inode: two names of one inode are one file.
    Leaf(LayerInode),
}

/// Layers, one over the other.
#[derive(Debug)]
pub(crate) struct Layered<'l> {
    pub(crate) layers: &'l [Loaded],
    nodes: Vec<Node>,
    /// Whether links of lower layers are to be followed, which is not done here.
    follow: bool,
}

impl<'l> Layered<'l> {
    /// Merges layers, lowest first. Where a link of a lower layer would be to `follow`, it is an
    /// error.
    pub(crate) fn new(layers: &'l [Loaded], follow: bool) -> Done<Self> {
        let nodes = vec![Node::Directory(None, BTreeMap::new())];
        let mut this = Self { layers, nodes, follow };
        for number in 0..layers.len() {
            this.add(number)?;
        }
        Ok(this)
    }

    pub(crate) fn node(&self, at: NodeIndex) -> &Node {
        &self.nodes[at]
    }

    pub(crate) fn tree(&self, layer: usize) -> &'l Tree {
        &self.layers[layer].tree
    }

    /// The names in a directory.
    pub(crate) fn names(&self, at: NodeIndex) -> impl Iterator<Item = (&[u8], NodeIndex)> {
        let names = match &self.nodes[at] {
            Node::Directory(_, names) => Some(names),
            Node::Leaf(_) => None,
        };
        names.into_iter().flatten().map(|(name, at)| (&name[..], *at))
    }

    pub(crate) fn child(&self, at: NodeIndex, name: &[u8]) -> Option<NodeIndex> {
        match &self.nodes[at] {
            Node::Directory(_, names) => names.get(name).copied(),
            Node::Leaf(_) => None,
        }
    }

    /// How many names each file has; directories are not counted.
    pub(crate) fn links(&self) -> BTreeMap<(usize, usize), u32> {
        let mut links = BTreeMap::new();
        let mut todo = vec![ROOT];
        while let Some(at) = todo.pop() {
            for (_, child) in self.names(at) {
                match self.nodes[child] {
                    Node::Leaf((layer, id)) => *links.entry((layer, id.index())).or_insert(0) += 1,
                    Node::Directory(..) => todo.push(child),
                }
            }
        }
        links
    }

    /// Puts a layer over those that are there.
    fn add(&mut self, number: usize) -> Done {
        let tree = self.tree(number);
        let found = self.pending(number)?;
        if overlay_marks::is_opaque(tree, InodeId::ROOT) {
            self.names_mut(ROOT).clear();
        }
        if !tree.is_implied(InodeId::ROOT) {
            self.nodes[ROOT].describe((number, InodeId::ROOT));
        }
        let mut todo = vec![(InodeId::ROOT, ROOT)];
        while let Some((from, to)) = todo.pop() {
            let holds = overlay_marks::has(tree, from, b"overlay.opaque", Some(b"x"));
            // First all that it hides, then all that it has.
            for (name, id) in tree.children(from) {
                let hidden = match name.strip_prefix(b".wh.") {
                    Some(hidden) if !hidden.starts_with(b".wh.") => Some(hidden),
                    None if overlay_marks::is_whiteout(tree, id, holds) => Some(name),
                    _ => None,
                };
                hidden.map(|hidden| self.names_mut(to).remove(hidden));
            }
            for (name, id) in tree.children(from) {
                if name.starts_with(b".wh.") || overlay_marks::is_whiteout(tree, id, holds) {
                    continue;
                }
                if tree.kind(id) == NodeKind::Directory {
                    let at = self.directory(to, name, (number, id))?;
                    todo.push((id, at));
                } else {
                    let leaf = found.get(&id.index()).copied().unwrap_or((number, id));
                    self.put(to, name, Node::Leaf(leaf));
                }
            }
        }
        Ok(())
    }

    /// A directory of a layer over what is there.
    fn directory(
        &mut self,
        to: NodeIndex,
        name: &[u8],
        (number, id): LayerInode,
    ) -> Done<NodeIndex> {
        let tree = self.tree(number);
        let described = (!tree.is_implied(id)).then_some((number, id));
        let lower = self.child(to, name);
        let is_link = lower.is_some_and(|at| self.target(at).is_some());
        if self.follow && described.is_none() && is_link && !overlay_marks::is_opaque(tree, id) {
            let (layer, name) = (&self.layers[number].name, quote::shell(name));
            let why = "--against does not follow it (--follow-lower-links)";
            return Err(Fail::of(layer, format_args!("{name} is a lower layer's link: {why}")));
        }
        let lower = lower.filter(|at| matches!(self.nodes[*at], Node::Directory(..)));
        let Some(at) = lower else {
            return Ok(self.put(to, name, Node::Directory(described, BTreeMap::new())));
        };
        if overlay_marks::is_opaque(tree, id) {
            self.names_mut(at).clear();
        }
        if let Some(from) = described {
            self.nodes[at].describe(from);
        }
        Ok(at)
    }

    fn put(&mut self, to: NodeIndex, name: &[u8], node: Node) -> NodeIndex {
        let at = self.nodes.len();
        self.nodes.push(node);
        self.names_mut(to).insert(name.to_vec(), at);
        at
    }

    fn names_mut(&mut self, at: NodeIndex) -> &mut BTreeMap<Vec<u8>, NodeIndex> {
        if let Node::Leaf(_) = self.nodes[at] {
            self.nodes[at] = Node::Directory(None, BTreeMap::new());
        }
        match &mut self.nodes[at] {
            Node::Directory(_, names) => names,
            Node::Leaf(_) => unreachable!("made a directory just now"),
        }
    }

    /// Hard links of a layer to files below it, looked up before it hides anything.
    fn pending(&self, number: usize) -> Done<BTreeMap<usize, LayerInode>> {
        let tree = self.tree(number);
        let mut found = BTreeMap::new();
        for id in (0..tree.inode_count()).filter_map(|at| tree.inode(u32::try_from(at).ok()?)) {
            let Content::Target(target) = tree.content(id) else { continue };
            if tree.kind(id) != NodeKind::PendingLink {
                continue;
            }
            match self.lookup(target).map(|at| &self.nodes[at]) {
                Some(Node::Leaf(from)) => _ = found.insert(id.index(), *from),
                _ => {
                    let (name, target) = (&self.layers[number].name, quote::shell(target));
                    let why = format_args!("a hard link's target {target} is no file below");
                    return Err(Fail::of(name, why));
                }
            }
        }
        Ok(found)
    }

    /// What is at a path, links on the way followed inside the root, not one at its end.
    fn lookup(&self, path: &[u8]) -> Option<NodeIndex> {
        let parts = |path: &[u8]| -> Vec<Vec<u8>> {
            path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect()
        };
        let (mut todo, mut way, mut links) = (parts(path), vec![ROOT], 0);
        while let Some(name) = todo.pop() {
            let dir = way.last().copied().unwrap_or(ROOT);
            match &name[..] {
                b"" | b"." => continue,
                b".." => {
                    way.truncate(way.len().saturating_sub(1).max(1));
                    continue;
                }
                name => {
                    let at = self.child(dir, name)?;
                    match self.target(at).filter(|_| !todo.is_empty()) {
                        None => way.push(at),
                        Some(_) if links == LINKS => return None,
                        Some(target) => {
                            links += 1;
                            if target.starts_with(b"/") {
                                way.truncate(1);
                            }
                            todo.extend(parts(target));
                        }
                    }
                }
            }
        }
        way.last().copied()
    }

    fn target(&self, at: NodeIndex) -> Option<&[u8]> {
        let Node::Leaf((layer, id)) = self.nodes[at] else { return None };
        match (self.tree(layer).kind(id), self.tree(layer).content(id)) {
            (NodeKind::Symlink, Content::Target(target)) => Some(target),
            _ => None,
        }
    }
}

impl Node {
    /// Gives a directory the attributes of one of a layer.
    fn describe(&mut self, new: LayerInode) {
        if let Self::Directory(from, _) = self {
            *from = Some(new);
        }
    }
}

/// The attributes of a directory that no layer lists.
pub(crate) fn implied() -> Attributes {
    Attributes { mode: 0o755, ..Attributes::default() }
}
