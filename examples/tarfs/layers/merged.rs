//! Layers become one tree, and what the merge decided is said.

use std::path::Path;

use erofs_tarfs::tree::{self, MergeOptions, Note, Tree};

use crate::cli::fail::{self, Done, Fail};
use crate::cli::{quote, warn};
use crate::layers::loaded::Loaded;
use crate::layers::noted::Noted;

/// The layers as one tree, and what was met in them and on the way.
pub(crate) fn merged(layers: &[Loaded], options: &MergeOptions) -> Done<(Tree, Noted)> {
    let trees: Vec<&Tree> = layers.iter().map(|layer| &layer.tree).collect();
    let mut merging = Merging::default();
    let tree = tree::merge_noting(&trees, options, &mut |note| merging.take(note));
    let tree = tree.map_err(|error| {
        let names: Vec<_> = layers.iter().map(|layer| quote::name(&layer.name)).collect();
        Fail::Failed(format!("{}: {error}{}", names.join(" + "), fail::switch(&error)))
    })?;
    merging.say(layers);
    Ok((tree, Noted::sum(layers.iter().map(|layer| layer.noted), merging.count)))
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
