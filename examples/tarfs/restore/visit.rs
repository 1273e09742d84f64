//! The wanted part of a tree, directory by directory.

use erofs_tarfs::tree::{InodeId, NodeKind, Tree};

use super::wanted::Wanted;

/// A step on the way through a tree.
pub(crate) enum Step<'t> {
    /// A name is come to; of a directory, what is in it follows, and then its end.
    Name { name: &'t [u8], id: InodeId },
    /// All of the directory that was come to last, and is not at its end yet, was visited.
    End { id: InodeId },
}

/// Goes through a tree. It is no recursion, as a hostile tree may be deep.
pub(crate) struct Visit<'t, 'w> {
    tree: &'t Tree,
    /// The directories from the root on: each with the next of its children, and the length of its path.
    at: Vec<(InodeId, usize, usize, &'w Wanted)>,
    path: Vec<u8>,
    start: Option<&'w Wanted>,
}

impl<'t, 'w> Visit<'t, 'w> {
    pub(crate) fn new(tree: &'t Tree, wanted: &'w Wanted) -> Self {
        Self { tree, at: Vec::new(), path: Vec::new(), start: Some(wanted) }
    }

    /// The path of what was come to last, without `/` in front; empty of the root.
    pub(crate) fn path(&self) -> &[u8] {
        &self.path
    }
}

impl<'t> Iterator for Visit<'t, '_> {
    type Item = Step<'t>;

    fn next(&mut self) -> Option<Step<'t>> {
        if let Some(wanted) = self.start.take() {
            self.at.push((InodeId::ROOT, 0, 0, wanted));
            return Some(Step::Name { name: b"", id: InodeId::ROOT });
        }
        loop {
            let (directory, index, len, wanted) = self.at.last_mut()?;
            let (tree, len) = (self.tree, *len);
            self.path.truncate(len);
            let Some((name, id)) = tree.nth_child(*directory, *index) else {
                let id = *directory;
                self.at.pop();
                return Some(Step::End { id });
            };
            *index += 1;
            let Some(below) = wanted.below(name) else { continue };
            if len > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            if tree.kind(id) == NodeKind::Directory {
                self.at.push((id, 0, self.path.len(), below));
            }
            return Some(Step::Name { name, id });
        }
    }
}
