//! What was met in a tar.
#![allow(unsafe_code, reason = "states a fact about a struct")]

use erofs_tarfs::ingest::Ingested;
use erofs_tarfs::tar::EndMarker;

use crate::abi::sized::Sized;

/// What was met in a tar.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsLayerInfo {
    /// sizeof(tarfs_layer_info).
    pub size: usize,
    /// Entries.
    pub entries: u64,
    /// Length of the tar in bytes, everything behind its end marker too.
    pub bytes: u64,
    /// Bytes behind the end marker.
    pub trailing: u64,
    /// How many zero blocks end the tar: 2 as POSIX has it, or 1, or 0.
    pub end_blocks: u32,
    /// 1 if diff_id is set.
    pub has_diff_id: u32,
    /// SHA-256 of all bytes.
    pub diff_id: [u8; 32],
    /// Entries of unknown type that were passed over.
    pub skipped_unknown: u64,
    /// Volume labels that were passed over.
    pub skipped_labels: u64,
    /// Entries without a body that state a size all the same.
    pub sizes_ignored: u64,
    /// Extended attributes that were dropped.
    pub dropped_xattrs: u64,
    /// Access control lists that were dropped: they name users or groups without their numbers.
    pub dropped_acls: u64,
    /// Entries whose owner or group is 4294967295, which became 0.
    pub unset_owners: u64,
}

// SAFETY: integers, the size first.
unsafe impl Sized for TarfsLayerInfo {}

impl TarfsLayerInfo {
    pub(crate) fn of(done: &Ingested) -> Self {
        let end = done.layer.end;
        Self {
            size: 0,
            entries: end.entries,
            bytes: end.bytes,
            trailing: end.trailing,
            end_blocks: match end.marker {
                EndMarker::TwoBlocks => 2,
                EndMarker::OneBlock => 1,
                EndMarker::None => 0,
            },
            has_diff_id: done.diff_id.is_some().into(),
            diff_id: done.diff_id.map_or([0; 32], |digest| digest.0),
            skipped_unknown: end.skipped_unknown,
            skipped_labels: end.skipped_labels,
            sizes_ignored: end.sizes_ignored,
            dropped_xattrs: done.layer.notes.dropped_xattrs,
            dropped_acls: done.layer.notes.dropped_acls,
            unset_owners: done.layer.notes.unset_owners,
        }
    }
}
