//! What the caller's functions choose of a tree: names that are left out, labels of SELinux.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::tree::{self, Changes, Error, NodeKind, Tree};

/// Whether a name is left out.
type Excluded<'a> = dyn FnMut(&[u8], NodeKind) -> bool + 'a;
/// The label of a file.
type Label<'a> = dyn FnMut(&[u8], NodeKind) -> Option<Vec<u8>> + 'a;

/// The caller's functions, each of which may be missing.
#[derive(Default)]
pub(super) struct Choices<'a> {
    pub(super) excluded: Option<Box<Excluded<'a>>>,
    pub(super) label: Option<Box<Label<'a>>>,
}

impl fmt::Debug for Choices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choices")
            .field("excluded", &self.excluded.is_some())
            .field("label", &self.label.is_some())
            .finish()
    }
}

impl Choices<'_> {
    /// The tree with all changes: names left out first, labels last.
    pub(super) fn change<'t>(
        &mut self,
        tree: &'t Tree,
        changes: &Changes,
    ) -> Result<Cow<'t, Tree>, Error> {
        let mut tree = match &mut self.excluded {
            Some(excluded) => Cow::Owned(tree::without(tree, &mut **excluded)?),
            None => Cow::Borrowed(tree),
        };
        if let Cow::Owned(changed) = tree::change(&tree, changes)? {
            tree = Cow::Owned(changed);
        }
        if let Some(label) = &mut self.label {
            tree::label(tree.to_mut(), &mut **label)?;
        }
        Ok(tree)
    }
}
