//! The two things that are compared, a tree and layers one over the other, behind one trait.

use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::tree::{Attributes, Content, InodeId, NodeKind, Tree};

use crate::check::layered::{self, Layered, Node, NodeIndex};
use crate::cli::fail::Done;
use crate::layers::file_data::FileData;

/// An attribute's name and value.
type Xattr = (Vec<u8>, Vec<u8>);

/// A filesystem that is compared with another.
pub(crate) trait Filesystem {
    /// An inode as it is found by a name.
    type Id: Copy;

    fn root(&self) -> Self::Id;
    /// What is the same of all names of one file.
    fn key(&self, id: Self::Id) -> (usize, usize);
    fn names(&self, id: Self::Id) -> Vec<(&[u8], Self::Id)>;
    fn child(&self, id: Self::Id, name: &[u8]) -> Option<Self::Id>;
    fn kind(&self, id: Self::Id) -> NodeKind;
    fn attributes(&self, id: Self::Id) -> Attributes;
    fn nlink(&self, id: Self::Id) -> u32;
    fn is_opaque(&self, id: Self::Id) -> bool;
    fn xattrs(&self, id: Self::Id) -> Vec<Xattr>;
    fn content(&self, id: Self::Id) -> Content<'_>;
    fn body(&self, id: Self::Id) -> Done<FileData<'_, &[NamedFile]>>;
}

/// A tree and the files of its devices.
pub(crate) struct OfTree<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) sources: &'a [NamedFile],
    pub(crate) name: &'a Path,
}

impl Filesystem for OfTree<'_> {
    type Id = InodeId;

    fn root(&self) -> InodeId {
        InodeId::ROOT
    }
    fn key(&self, id: InodeId) -> (usize, usize) {
        (0, id.index())
    }
    fn names(&self, id: InodeId) -> Vec<(&[u8], InodeId)> {
        self.tree.children(id).collect()
    }
    fn child(&self, id: InodeId, name: &[u8]) -> Option<InodeId> {
        self.tree.child(id, name)
    }
    fn kind(&self, id: InodeId) -> NodeKind {
        self.tree.kind(id)
    }
    fn attributes(&self, id: InodeId) -> Attributes {
        self.tree.attributes(id)
    }
    fn nlink(&self, id: InodeId) -> u32 {
        self.tree.nlink(id)
    }
    fn is_opaque(&self, id: InodeId) -> bool {
        self.tree.is_opaque(id)
    }
    fn xattrs(&self, id: InodeId) -> Vec<Xattr> {
        self.tree.xattrs(id).map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    }
    fn content(&self, id: InodeId) -> Content<'_> {
        self.tree.content(id)
    }
    fn body(&self, id: InodeId) -> Done<FileData<'_, &[NamedFile]>> {
        FileData::new(self.tree, id, self.sources, self.name)
    }
}

/// Layers one over the other, and the files of the devices of each.
pub(crate) struct OfLayers<'a> {
    layered: &'a Layered<'a>,
    sources: &'a [Vec<NamedFile>],
    links: std::collections::BTreeMap<(usize, usize), u32>,
}

impl<'a> OfLayers<'a> {
    pub(crate) fn new(layered: &'a Layered<'a>, sources: &'a [Vec<NamedFile>]) -> Self {
        Self { layered, sources, links: layered.links() }
    }

    /// The inode of a layer that a node has its attributes from.
    fn from(&self, id: NodeIndex) -> Option<(&'a Tree, usize, InodeId)> {
        let from = match self.layered.node(id) {
            Node::Directory(from, _) => *from,
            Node::Leaf(from) => Some(*from),
        };
        from.map(|(layer, id)| (self.layered.tree(layer), layer, id))
    }
}

impl Filesystem for OfLayers<'_> {
    type Id = NodeIndex;

    fn root(&self) -> NodeIndex {
        layered::ROOT
    }
    fn key(&self, id: NodeIndex) -> (usize, usize) {
        match self.layered.node(id) {
            Node::Leaf((layer, from)) => (*layer, from.index()),
            Node::Directory(..) => (usize::MAX, id),
        }
    }
    fn names(&self, id: NodeIndex) -> Vec<(&[u8], NodeIndex)> {
        self.layered.names(id).collect()
    }
    fn child(&self, id: NodeIndex, name: &[u8]) -> Option<NodeIndex> {
        self.layered.child(id, name)
    }
    fn kind(&self, id: NodeIndex) -> NodeKind {
        match (self.layered.node(id), self.from(id)) {
            (Node::Leaf(_), Some((tree, _, from))) => tree.kind(from),
            _ => NodeKind::Directory,
        }
    }
    fn attributes(&self, id: NodeIndex) -> Attributes {
        self.from(id).map_or_else(layered::implied, |(tree, _, from)| tree.attributes(from))
    }
    fn nlink(&self, id: NodeIndex) -> u32 {
        match self.layered.node(id) {
            Node::Leaf(_) => self.links.get(&self.key(id)).copied().unwrap_or(0),
            Node::Directory(..) => {
                let is_directory =
                    |at: NodeIndex| matches!(self.layered.node(at), Node::Directory(..));
                let below = self.layered.names(id).filter(|(_, at)| is_directory(*at)).count();
                2 + below as u32
            }
        }
    }
    fn is_opaque(&self, _: NodeIndex) -> bool {
        false
    }
    fn xattrs(&self, id: NodeIndex) -> Vec<Xattr> {
        let Some((tree, _, from)) = self.from(id) else { return Vec::new() };
        // Merging takes this mark away.
        let mark = |name: &[u8], value: &[u8]| {
            value == b"y" && matches!(name, b"trusted.overlay.opaque" | b"user.overlay.opaque")
        };
        let all = tree.xattrs(from).filter(|(name, value)| !mark(name, value));
        all.map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    }
    fn content(&self, id: NodeIndex) -> Content<'_> {
        match (self.layered.node(id), self.from(id)) {
            (Node::Leaf(_), Some((tree, _, from))) => tree.content(from),
            _ => Content::Directory,
        }
    }
    fn body(&self, id: NodeIndex) -> Done<FileData<'_, &[NamedFile]>> {
        let (tree, layer, from) = self.from(id).unwrap_or((self.layered.tree(0), 0, InodeId::ROOT));
        FileData::new(tree, from, &self.sources[layer][..], &self.layered.layers[layer].name)
    }
}
