//! What of a tar was not taken as it stands: counted, said, or refused.

use std::path::Path;

use erofs_tarfs::tree::{self, LayerNotes};
use serde::Serialize;

use crate::cli::fail::{Done, Fail};
use crate::cli::warn;

/// What was met, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Noted {
    /// Extended attributes of namespaces that EROFS does not have.
    dropped_xattrs: u64,
    /// Access control lists as text that are none.
    dropped_acls: u64,
    /// Entries with an owner that `chown` takes for none.
    unset_owners: u64,
    /// Entries of types that are not known.
    skipped_types: u64,
    /// Places at which a merge decided what not every reader of layers does.
    merge_notes: u64,
}

impl Noted {
    pub(crate) fn of(layer: &tree::Layer) -> Self {
        Self {
            dropped_xattrs: layer.notes.dropped_xattrs,
            dropped_acls: layer.notes.dropped_acls,
            unset_owners: layer.notes.unset_owners,
            skipped_types: layer.end.skipped_unknown,
            merge_notes: 0,
        }
    }

    /// Of all layers of an image, and `merge_notes` of their merge.
    pub(crate) fn sum(all: impl Iterator<Item = Self>, merge_notes: u64) -> Self {
        all.fold(Self { merge_notes, ..Self::default() }, |sum, noted| Self {
            dropped_xattrs: sum.dropped_xattrs + noted.dropped_xattrs,
            dropped_acls: sum.dropped_acls + noted.dropped_acls,
            unset_owners: sum.unset_owners + noted.unset_owners,
            skipped_types: sum.skipped_types + noted.skipped_types,
            merge_notes: sum.merge_notes + noted.merge_notes,
        })
    }

    /// What the library counts.
    fn notes(&self) -> LayerNotes {
        let mut notes = LayerNotes::default();
        notes.dropped_xattrs = self.dropped_xattrs;
        notes.dropped_acls = self.dropped_acls;
        notes.unset_owners = self.unset_owners;
        notes
    }

    /// Says what was met in the tar of this name, or refuses it.
    pub(crate) fn judge(&self, name: &Path, strict: bool) -> Done {
        let mut said: Vec<String> = self.notes().warnings().collect();
        if let (true, Some(first)) = (strict, said.first()) {
            return Err(Fail::of(name, format_args!("{first} (--strict)")));
        }
        // That was asked for by name.
        match self.skipped_types {
            0 => {}
            1 => said.push("1 entry of a type that is not known: passed over".to_owned()),
            many => said.push(format!("{many} entries of types that are not known: passed over")),
        }
        said.iter().for_each(|text| warn::say(name, text));
        Ok(())
    }
}
