//! What Nydus's program does and this one does not: refused by name, so that nobody waits for it.

use std::ffi::OsString;

use clap::Args;

use crate::fail::{Done, Fail};

/// Who does the rest.
const OTHER: &str =
    "this is nydus-image of erofs-tarfs, for tarfs alone; nydus-image of Nydus does it";

/// Commands of Nydus's program.
const COMMANDS: &[&str] = &["stat", "compact", "unpack", "optimize", "chunkdict"];

/// Types of conversion that Nydus's program has.
pub(crate) const TYPES: &[&str] = &[
    "directory",
    "dir-rafs",
    "estargz-rafs",
    "estargz-ref",
    "estargztoc-ref",
    "stargz_index",
    "tar-rafs",
    "tar-tarfs",
    "targz-rafs",
    "targz-ref",
];

/// Why a command is not done: one of Nydus's, or none at all.
pub(crate) fn command(words: &[OsString]) -> Fail {
    let command = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    match COMMANDS.contains(&&*command) {
        true => Fail::refused(format!("{command}: {OTHER}")),
        false => Fail::usage(format!("{command}: no such command; see nydus-image --help")),
    }
}

/// Why a type of conversion is not done.
pub(crate) fn conversion(kind: &str) -> Fail {
    Fail::refused(format!("--type {kind}: only tar-tarfs is supported; {OTHER}"))
}

/// Options of `create` that Nydus's program has, but refuses for a tarfs or has no use for.
#[derive(Debug, Args)]
pub(crate) struct OfCreate {
    #[arg(short, long, hide = true)]
    blob: Option<OsString>,
    #[arg(long, hide = true)]
    external_blob: Option<OsString>,
    #[arg(long, alias = "inline-bootstrap", hide = true)]
    blob_inline_meta: bool,
    #[arg(long, hide = true)]
    blob_cache_dir: Option<OsString>,
    #[arg(long, hide = true)]
    blob_data_size: Option<String>,
    #[arg(long, hide = true)]
    parent_bootstrap: Option<OsString>,
    #[arg(long, hide = true)]
    chunk_dict: Option<OsString>,
    #[arg(long, hide = true)]
    aligned_chunk: bool,
    #[arg(short = 'E', long, hide = true)]
    encrypt: bool,
    #[arg(long, hide = true)]
    features: Option<String>,
    #[arg(long, hide = true)]
    attributes: Option<OsString>,
    #[arg(short = 'C', long, hide = true)]
    config: Option<OsString>,
    #[arg(long, hide = true)]
    repeatable: bool,
    #[arg(long, default_value = "0", hide = true)]
    batch_size: String,
    #[arg(long, default_value = "0", hide = true)]
    blob_offset: String,
    #[arg(short = 'v', long, default_value = "6", hide = true)]
    fs_version: String,
    #[arg(long, default_value = "none", hide = true)]
    prefetch_policy: String,
}

impl OfCreate {
    /// Refuses those that are given.
    pub(crate) fn refuse(&self) -> Done {
        let no_blob = "no blob is made: the tar itself is the data";
        let alone = "a layer is indexed by itself: merge puts layers over one another";
        let no_rafs = "only RAFS has this, and what is made here is plain EROFS";
        let owners = "Nydus sets all owners to 0 for it; without it the output is reproducible too";
        let zero = |number: &str| number.trim_start_matches("0x").parse() == Ok(0);
        given(&[
            (self.blob.is_some(), "--blob", no_blob),
            (self.external_blob.is_some(), "--external-blob", no_blob),
            (self.blob_inline_meta, "--blob-inline-meta", no_blob),
            (self.blob_cache_dir.is_some(), "--blob-cache-dir", no_blob),
            (self.blob_data_size.is_some(), "--blob-data-size", no_blob),
            (!zero(&self.blob_offset), "--blob-offset", no_blob),
            (self.parent_bootstrap.is_some(), "--parent-bootstrap", alone),
            (self.chunk_dict.is_some(), "--chunk-dict", alone),
            (self.aligned_chunk, "--aligned-chunk", no_rafs),
            (self.encrypt, "--encrypt", no_rafs),
            (self.features.is_some(), "--features", no_rafs),
            (self.attributes.is_some(), "--attributes", no_rafs),
            (self.config.is_some(), "--config", no_rafs),
            (!zero(&self.batch_size), "--batch-size", no_rafs),
            (self.fs_version != "6", "--fs-version", no_rafs),
            (self.prefetch_policy == "blob", "--prefetch-policy blob", no_rafs),
            (self.repeatable, "--repeatable", owners),
        ])
    }
}

/// Options of `merge` that Nydus's program has for RAFS.
#[derive(Debug, Args)]
pub(crate) struct OfMerge {
    #[arg(long, hide = true)]
    parent_bootstrap: Option<OsString>,
    #[arg(long, hide = true)]
    chunk_dict: Option<OsString>,
    #[arg(long, hide = true)]
    blob_digests: Option<String>,
    #[arg(long, hide = true)]
    original_blob_ids: Option<String>,
    #[arg(long, hide = true)]
    blob_sizes: Option<String>,
    #[arg(long, hide = true)]
    blob_toc_digests: Option<String>,
    #[arg(long, hide = true)]
    blob_toc_sizes: Option<String>,
    #[arg(short = 'C', long, hide = true)]
    config: Option<OsString>,
}

impl OfMerge {
    /// Refuses those that are given.
    pub(crate) fn refuse(&self) -> Done {
        let all = "all layers are given as bootstraps, the lowest first";
        let no_blob = "a tarfs has tars for blobs, and its bootstraps say all about them";
        given(&[
            (self.parent_bootstrap.is_some(), "--parent-bootstrap", all),
            (self.chunk_dict.is_some(), "--chunk-dict", all),
            (self.blob_digests.is_some(), "--blob-digests", no_blob),
            (self.original_blob_ids.is_some(), "--original-blob-ids", no_blob),
            (self.blob_sizes.is_some(), "--blob-sizes", no_blob),
            (self.blob_toc_digests.is_some(), "--blob-toc-digests", no_blob),
            (self.blob_toc_sizes.is_some(), "--blob-toc-sizes", no_blob),
            (self.config.is_some(), "--config", no_blob),
        ])
    }
}

/// Refuses the first option that is given.
fn given(options: &[(bool, &str, &str)]) -> Done {
    match options.iter().find(|(given, ..)| *given) {
        Some((_, option, why)) => Err(Fail::refused(format!("{option} is not supported: {why}"))),
        None => Ok(()),
    }
}
