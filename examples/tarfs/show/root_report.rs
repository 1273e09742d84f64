//! A root hash that was computed, as JSON and for people.

use std::io::Write;

use erofs_tarfs::verity::Sealed;
use serde::Serialize;

use crate::cli::fail::Done;
use crate::cli::{numbers, quote};
use crate::show::print;

/// The root hash of a disk that is not there.
#[derive(Debug, Serialize)]
pub(crate) struct RootReport {
    /// The layer whose disk it is; none of all layers merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    root_hash: String,
    data_blocks: u64,
    data_block_size: u32,
    hash_block_size: u32,
    hash_offset: u64,
    /// Hex digits, or `-`.
    salt: String,
}

impl RootReport {
    /// What is known of the disk of a layer, or of all layers merged.
    pub(crate) fn new(layer: Option<&std::path::Path>, sealed: &Sealed) -> Self {
        let (geometry, salt) = (sealed.geometry(), sealed.params().salt());
        Self {
            layer: layer.map(|name| name.display().to_string()),
            root_hash: sealed.root().to_string(),
            data_blocks: geometry.data_blocks(),
            data_block_size: geometry.data_block().bytes(),
            hash_block_size: geometry.hash_block().bytes(),
            hash_offset: geometry.hash_offset(),
            salt: if salt.is_empty() { "-".to_owned() } else { numbers::to_hex(salt) },
        }
    }

    /// Prints it: for people the hash, and behind it the layer, as `sha256sum` has it.
    pub(crate) fn print(&self, json: bool) -> Done {
        print::report(std::io::stdout().lock(), self, json, |out| match &self.layer {
            None => writeln!(out, "{}", self.root_hash),
            Some(layer) => writeln!(out, "{}  {}", self.root_hash, quote::name(layer)),
        })
    }
}
