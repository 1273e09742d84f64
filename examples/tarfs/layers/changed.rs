//! Trees made otherwise than their layers say: what is chosen on the command line, applied.

use std::borrow::Cow;
use std::path::Path;

use erofs_tarfs::tree::{self, Changes, Tree};
use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::cli::change_options::Changing;
use crate::cli::fail::{Done, Fail};
use crate::cli::warn;
use crate::layers::file_contexts::FileContexts;
use crate::layers::loaded::Loaded;

/// What is chosen, ready to be applied to any number of trees.
pub(crate) struct Changer {
    changes: Changes,
    excluded: Option<RegexSet>,
    contexts: Option<FileContexts>,
}

impl Changer {
    /// Reads what is named, and refuses what makes no sense.
    pub(crate) fn new(args: &Changing) -> Done<Self> {
        let changes = args.changes()?;
        let excluded = match &args.exclude_regex[..] {
            [] => None,
            // Names are bytes.
            patterns => {
                let set = RegexSetBuilder::new(patterns).unicode(false).build();
                Some(set.map_err(|error| Fail::Usage(format!("--exclude-regex: {error}")))?)
            }
        };
        let contexts = args.file_contexts.as_deref().map(FileContexts::read).transpose()?;
        Ok(Self { changes, excluded, contexts })
    }

    /// Whether nothing is chosen.
    fn is_idle(&self) -> bool {
        let Self { changes, excluded, contexts } = self;
        *changes == Changes::default() && excluded.is_none() && contexts.is_none()
    }

    /// Changes the trees of layers, each of which is made on its own.
    pub(crate) fn each(&self, layers: &mut [Loaded]) -> Done {
        if self.is_idle() {
            return Ok(());
        }
        self.say_unused(layers.iter().map(|layer| &layer.tree));
        for layer in layers {
            layer.tree = self.one(&layer.name, core::mem::take(&mut layer.tree))?;
        }
        Ok(())
    }

    /// Changes a tree; errors name `called`.
    pub(crate) fn tree(&self, called: &Path, tree: Tree) -> Done<Tree> {
        self.say_unused([&tree]);
        self.one(called, tree)
    }

    fn one(&self, called: &Path, mut tree: Tree) -> Done<Tree> {
        let failed = |error| Fail::of(called, error);
        if let Some(excluded) = &self.excluded {
            tree = tree::without(&tree, &mut |path, _| excluded.is_match(path)).map_err(failed)?;
        }
        if let Cow::Owned(changed) = tree::change(&tree, &self.changes).map_err(failed)? {
            tree = changed;
        }
        if let Some(contexts) = &self.contexts {
            tree::label(&mut tree, &mut |path, kind| contexts.label(path, kind)).map_err(failed)?;
        }
        Ok(tree)
    }

    /// Says which paths are in none of the trees, as they may be mistyped.
    fn say_unused<'t>(&self, trees: impl IntoIterator<Item = &'t Tree> + Clone) {
        for path in &self.changes.exclude {
            let is_there = |tree: &Tree| tree.lookup(path).is_some();
            if !trees.clone().into_iter().any(is_there) {
                let path = path.escape_ascii();
                let what = format_args!("--exclude-path {path}: nothing has this path");
                warn::line(format_args!("tarfs: warning: {what}"));
            }
        }
    }
}
