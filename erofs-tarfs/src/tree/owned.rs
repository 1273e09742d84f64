//! Trees where they may be owned or borrowed.

use super::Tree;
use alloc::borrow::Cow;

impl From<Tree> for Cow<'_, Tree> {
    fn from(tree: Tree) -> Self {
        Cow::Owned(tree)
    }
}

impl<'t> From<&'t Tree> for Cow<'t, Tree> {
    fn from(tree: &'t Tree) -> Self {
        Cow::Borrowed(tree)
    }
}
