//! How a tar becomes a layer, and what is counted on the way.

use super::device::Identity;
use crate::limits::Limits;
use crate::tar;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How a tar becomes a layer.
///
/// ```
/// use erofs_tarfs::{limits::Limits, tree::LayerOptions};
///
/// let options = LayerOptions::new()
///     .keep_pending(true) // a hard link to a file of a lower layer waits for the merge
///     .limits(Limits::new().max_entries(1_000_000))
///     .tag(b"base");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LayerOptions {
    /// How the tar is read, and how much it and the layer may cost: its [limits](tar::ParseOptions::limits) are
    /// those of both.
    pub tar: tar::ParseOptions,
    /// Tag of the device that the tar is: at most 64 bytes, usually the hex digest of the blob.
    pub tag: Vec<u8>,
    /// What is known of the tar's bytes: [`merge()`](super::merge()) makes one device of two that
    /// have the same. Unknown by default; see [`LayerBuilder::set_identity`](super::LayerBuilder::set_identity).
    pub identity: Identity,
    /// Keep a hard link whose target is no earlier entry, for [`merge()`](super::merge()) to find
    /// in a lower layer. By default it is an error.
    pub keep_pending: bool,
    /// Resolve `..` in paths inside the root. By default it is an error.
    pub resolve_dot_dot: bool,
    /// Drop extended attributes of namespaces that EROFS has no index for, and count them. By
    /// default they are an error.
    pub drop_unknown_xattrs: bool,
    /// Keep the device of a layer that has no file data.
    pub keep_empty_device: bool,
}

impl Default for LayerOptions {
    fn default() -> Self {
        Self {
            tar: tar::ParseOptions::default(),
            tag: Vec::new(),
            identity: Identity::Unknown,
            keep_pending: false,
            resolve_dot_dot: false,
            drop_unknown_xattrs: false,
            keep_empty_device: false,
        }
    }
}

impl LayerOptions {
    /// The default: what cannot be in a layer is an error, and its device has no tag.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the tar is read, and the limits of both.
    #[must_use]
    pub fn tar(self, tar: tar::ParseOptions) -> Self {
        Self { tar, ..self }
    }

    /// Sets the tag of the device, at most 64 bytes; none by default.
    #[must_use]
    pub fn tag(self, tag: impl Into<Vec<u8>>) -> Self {
        Self { tag: tag.into(), ..self }
    }

    /// Sets what is known of the tar's bytes; nothing by default.
    #[must_use]
    pub fn identity(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    /// Sets whether a hard link to a lower layer waits for the merge; by default it is an error.
    #[must_use]
    pub fn keep_pending(self, keep_pending: bool) -> Self {
        Self { keep_pending, ..self }
    }

    /// Sets whether `..` is resolved inside the root; by default it is an error.
    #[must_use]
    pub fn resolve_dot_dot(self, resolve_dot_dot: bool) -> Self {
        Self { resolve_dot_dot, ..self }
    }

    /// Sets whether attributes of namespaces that EROFS lacks are dropped; by default they are an
    /// error.
    #[must_use]
    pub fn drop_unknown_xattrs(self, drop_unknown_xattrs: bool) -> Self {
        Self { drop_unknown_xattrs, ..self }
    }

    /// Sets whether a layer without file data keeps its device; off by default.
    #[must_use]
    pub fn keep_empty_device(self, keep_empty_device: bool) -> Self {
        Self { keep_empty_device, ..self }
    }

    /// Sets how much tar and layer may cost; for layers of strangers by default. It is in [`tar`](Self::tar), which
    /// is to be set before.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { tar: self.tar.limits(limits), ..self }
    }
}

/// How often a layer differs from what its tar says, and in what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerNotes {
    /// Extended attributes dropped for their namespace: [`LayerOptions::drop_unknown_xattrs`].
    pub dropped_xattrs: u64,
    /// Access control lists given as text that name users or groups without their numbers, or are
    /// no lists: dropped.
    pub dropped_acls: u64,
    /// Entries whose owner or group is 4294967295, "no change" to `chown`: every extractor leaves
    /// 0, and so does the layer.
    pub unset_owners: u64,
}

impl LayerNotes {
    /// What was met, in words, a line for each kind, for a warning about the tar.
    ///
    /// ```
    /// use erofs_tarfs::tree::LayerNotes;
    ///
    /// let mut notes = LayerNotes::default();
    /// assert_eq!(notes.warnings().count(), 0);
    /// notes.unset_owners = 1;
    /// let warning = notes.warnings().next();
    /// let says = "owner or group 4294967295 in 1 entry: 0, as extractors leave it";
    /// assert_eq!(warning.as_deref(), Some(says));
    /// ```
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let Self { dropped_xattrs, dropped_acls, unset_owners } = *self;
        let counted = |count: u64, one: &str, many: &str| {
            format!("{count} {}", if count == 1 { one } else { many })
        };
        let xattrs = counted(dropped_xattrs, "extended attribute", "extended attributes");
        let acls = counted(dropped_acls, "access control list", "access control lists");
        let entries = counted(unset_owners, "entry", "entries");
        let all = [
            (dropped_xattrs, format!("{xattrs} of namespaces that EROFS does not have: dropped")),
            (dropped_acls, format!("{acls} without numbers, or in no known form: dropped")),
            (
                unset_owners,
                format!("owner or group 4294967295 in {entries}: 0, as extractors leave it"),
            ),
        ];
        all.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text)
    }
}
