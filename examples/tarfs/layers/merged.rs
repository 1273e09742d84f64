//! Layers become one tree, and what the merge decided is said.

use std::path::{Path, PathBuf};

use erofs_tarfs::tree::{self, Error, MergeOptions, Merger, Note, Tree};

use crate::cli::fail::{self, Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::cli::{quote, warn};
use crate::layers::load;
use crate::layers::loaded::Loaded;
use crate::layers::noted::Noted;
use crate::layers::same_devices::{self, Identified};
use crate::layers::spool::Spool;

/// The layers as one tree, and what was met in them and on the way.
pub(crate) fn merged(layers: &[Loaded], options: &MergeOptions) -> Done<(Tree, Noted)> {
    let trees: Vec<&Tree> = layers.iter().map(|layer| &layer.tree).collect();
    let mut merging = Merging::default();
    let tree = tree::merge_noting(&trees, options, &mut |note| merging.take(note));
    said(layers, tree, &merging)
}

/// What came of a merge; what it decided is said.
fn said(layers: &[Loaded], tree: Result<Tree, Error>, merging: &Merging) -> Done<(Tree, Noted)> {
    let tree = tree.map_err(|error| {
        let names: Vec<_> = layers.iter().map(|layer| quote::name(&layer.name)).collect();
        Fail::Failed(format!("{}: {error}{}", names.join(" + "), fail::switch(&error)))
    })?;
    merging.say(layers);
    Ok((tree, Noted::sum(layers.iter().map(|layer| layer.noted), merging.count)))
}

/// Layers that are merged as they come, while others are still read.
pub(crate) struct Stack {
    pub(crate) layers: Vec<Loaded>,
    /// As far as it is known how; else all are merged once they are there.
    merger: Option<Merger>,
    identified: Identified,
    merging: Merging,
}

impl Stack {
    /// Loads all that the arguments name, lowest first.
    pub(crate) fn load(
        args: &[PathBuf],
        how: &ReadingOptions<'_>,
        spool: &mut Spool,
    ) -> Done<Self> {
        let mut stack = Self {
            layers: Vec::new(),
            merger: Some(Merger::new(&how.merge)),
            identified: Identified::default(),
            merging: Merging::default(),
        };
        load::each(args, how, spool, |layer| {
            stack.push(layer);
            Ok(())
        })?;
        Ok(stack)
    }

    fn push(&mut self, mut layer: Loaded) {
        let is_known = self.identified.identify(&mut layer);
        if let Some(merger) = self.merger.take().filter(|_| is_known) {
            let pushed = merger.push(&layer.tree, &mut |note| self.merging.take(note));
            // What is wrong is found once more when all are there, as then it is time to say it.
            self.merger = pushed.ok();
        }
        self.layers.push(layer);
    }

    /// The layers, the tree that they make, and what was met on the way.
    pub(crate) fn merged(self, options: &MergeOptions) -> Done<(Vec<Loaded>, Tree, Noted)> {
        let Self { mut layers, merger, merging, .. } = self;
        let (tree, noted) = match merger {
            Some(merger) => said(&layers, merger.finish(), &merging)?,
            None => {
                same_devices::identify(&mut layers);
                merged(&layers, options)?
            }
        };
        Ok((layers, tree, noted))
    }
}

/// So many notes of a merge are shown.
const SHOWN: usize = 10;

/// Says what a merge has decided, of the first places where it did.
#[derive(Default)]
pub(crate) struct Merging {
    pub(crate) count: u64,
    shown: Vec<Note>,
}

impl Merging {
    pub(crate) fn take(&mut self, note: Note) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(note);
        }
    }

    /// Shows them.
    pub(crate) fn say(&self, layers: &[Loaded]) {
        for note in &self.shown {
            let (layer, hint) = match note {
                Note::LinkReplaced { layer, .. } => (*layer, " (--follow-lower-links follows it)"),
                Note::FileReplaced { layer, .. } | Note::ListedTwice { layer, .. } => (*layer, ""),
                _ => (0, ""),
            };
            let name = layers.get(layer).map_or(Path::new("layers"), |layer| &layer.name);
            warn::say(name, format_args!("{note}{hint}"));
        }
        if let more @ 1.. = self.count - self.shown.len() as u64 {
            warn::line(format_args!("tarfs: warning: and {more} more such places"));
        }
    }
}
