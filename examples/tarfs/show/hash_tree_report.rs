//! A hash tree that was made, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::verity::{Algorithm, HashFormat, Sealed};
use serde::Serialize;

use crate::cli::numbers;

/// A hash tree.
#[derive(Debug, Serialize)]
pub(crate) struct HashTreeReport {
    pub(crate) data_blocks: u64,
    pub(crate) data_block_size: u32,
    pub(crate) hash_block_size: u32,
    pub(crate) hash_offset: u64,
    pub(crate) root_hash: String,
    /// Hex digits, or `-`.
    pub(crate) salt: String,
    /// Of another algorithm than SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hash_algorithm: Option<&'static str>,
    /// Of another format than 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hash_format: Option<u32>,
    pub(crate) veritysetup: String,
    pub(crate) dm_table: String,
    /// The file with containerd's sidecar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sidecar: Option<String>,
    /// What was sealed.
    #[serde(skip)]
    pub(crate) sealed: Sealed,
}

impl HashTreeReport {
    /// What is known of sealed data, which is in the file `data`.
    pub(crate) fn new(sealed: &Sealed, data: &Path, hash: &Path) -> Self {
        let geometry = sealed.geometry();
        let salt = sealed.params().salt();
        let (algorithm, format) = (sealed.params().algorithm(), sealed.params().format());
        let (data, hash) = (data.display().to_string(), hash.display().to_string());
        Self {
            data_blocks: geometry.data_blocks(),
            data_block_size: geometry.data_block().bytes(),
            hash_block_size: geometry.hash_block().bytes(),
            hash_offset: geometry.hash_offset(),
            root_hash: sealed.root().to_string(),
            salt: if salt.is_empty() { "-".to_owned() } else { numbers::to_hex(salt) },
            hash_algorithm: Some(algorithm.name()).filter(|_| algorithm != Algorithm::Sha256),
            hash_format: Some(format.number()).filter(|_| format != HashFormat::Normal),
            veritysetup: sealed.open_command(&data, &device_name(sealed), &hash).to_string(),
            dm_table: sealed.table_line(&data, &hash),
            sidecar: None,
            sealed: sealed.clone(),
        }
    }

    /// Lines for people.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "root hash: {}", self.root_hash)?;
        let Self { data_blocks, data_block_size, hash_block_size, hash_offset, .. } = self;
        writeln!(
            out,
            "{data_blocks} data blocks of {data_block_size} bytes, hash blocks of {hash_block_size} at offset {hash_offset}"
        )?;
        writeln!(out, "{}", self.veritysetup)?;
        self.sidecar.as_ref().map_or(Ok(()), |sidecar| writeln!(out, "sidecar: {sidecar}"))
    }
}

/// A name for the device mapper that follows from the data.
pub(crate) fn device_name(sealed: &Sealed) -> String {
    format!("tarfs-{}", &sealed.root().to_string()[..12])
}
