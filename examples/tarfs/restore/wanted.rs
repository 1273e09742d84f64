//! Which paths of an image are wanted.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::tree::Tree;

use crate::cli::fail::Done;
use crate::layers::paths;

/// Paths as a tree of their names.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Whether all that is below is wanted too.
    all: bool,
    names: BTreeMap<Vec<u8>, Self>,
}

impl Wanted {
    /// All of an image.
    pub(crate) fn all() -> Self {
        Self { all: true, names: BTreeMap::new() }
    }

    /// These paths of an image, with all that is below them; all of it if there are none. Each must be there.
    pub(crate) fn paths(tree: &Tree, image: &Path, wanted: &[OsString]) -> Done<Self> {
        if wanted.is_empty() {
            return Ok(Self::all());
        }
        let mut root = Self::default();
        for path in wanted {
            paths::at(tree, image, path)?;
            let mut at = &mut root;
            let names = path.as_bytes().split(|byte| *byte == b'/');
            for name in names.filter(|name| !name.is_empty() && *name != b".") {
                at = at.names.entry(name.to_vec()).or_default();
            }
            at.all = true;
        }
        Ok(root)
    }

    /// Whether that is all of the image.
    pub(crate) fn is_all(&self) -> bool {
        self.all
    }

    /// What is wanted of a name in it; `None` if nothing is.
    pub(crate) fn below(&self, name: &[u8]) -> Option<&Self> {
        match self.all {
            true => Some(self),
            false => self.names.get(name),
        }
    }
}
