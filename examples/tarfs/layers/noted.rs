//! What of a tar was not taken as it stands: counted, said, or refused.

use std::path::Path;

use erofs_tarfs::tree;
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

    /// Says what was met in the tar of this name, or refuses it.
    pub(crate) fn judge(&self, name: &Path, strict: bool) -> Done {
        let mut said = Vec::new();
        let mut say = |count: u64, text: String| {
            if count > 0 {
                said.push(text);
            }
        };
        let Self { dropped_xattrs, dropped_acls, unset_owners, skipped_types, .. } = *self;
        let xattrs = counted(dropped_xattrs, "extended attribute", "extended attributes");
        say(dropped_xattrs, format!("{xattrs} of namespaces that EROFS does not have: dropped"));
        let acls = counted(dropped_acls, "access control list", "access control lists");
        say(dropped_acls, format!("{acls} without numbers, or in no known form: dropped"));
        let entries = counted(unset_owners, "entry", "entries");
        let owners = format!("owner or group 4294967295 in {entries}: 0, as extractors leave it");
        say(unset_owners, owners);
        if let (true, Some(first)) = (strict, said.first()) {
            return Err(Fail::of(name, format_args!("{first} (--strict)")));
        }
        // That was asked for by name.
        if skipped_types > 0 {
            let entries = counted(skipped_types, "entry", "entries");
            said.push(format!("{entries} of types that are not known: passed over"));
        }
        said.iter().for_each(|text| warn::say(name, text));
        Ok(())
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
