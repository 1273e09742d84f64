//! Limits of what is read and made, as the user sets them: `--limit NAME=N`.

use clap::Args as Group;
use erofs_tarfs::limits::{Limit, Limits};

use crate::cli::numbers;

/// Limits of layers and images.
#[derive(Debug, Group)]
pub(crate) struct LimitArgs {
    /// Set a limit of what a layer or an image may cost. Of a tar: max_bytes (uncompressed, and of an image on standard
    /// input; none), max_ratio (uncompressed to compressed, from 256 MiB on; 200), max_entries (none), max_path_bytes
    /// (64k), max_name_bytes (255), max_extension_bytes (1M), max_xattr_bytes (1M), max_global_path_bytes (1k),
    /// max_global_xattr_bytes (1k), max_sparse_segments (1M). Of a layer, an image that is read, or layers merged:
    /// max_inodes (16M), max_depth (4k). Of a layer: max_implied (64k directories that no entry is about, beyond 4 for
    /// each entry), max_carried (1G). Of an image: max_table_bytes (64M), max_metadata_bytes (4G). Of its documents:
    /// max_json_bytes (4M). N as in 4096, 64k or 1G. An error that says "over the limit" names the one to raise.
    #[arg(long = "limit", value_name = "NAME=N", value_parser = limit)]
    limits: Vec<(Limit, u64)>,
}

fn limit(text: &str) -> Result<(Limit, u64), String> {
    let (name, number) = text.split_once('=').ok_or("not NAME=N")?;
    let names = || Limit::ALL.iter().map(|limit| limit.name()).collect::<Vec<_>>().join(", ");
    let limit = Limit::named(name).ok_or_else(|| format!("no limit of that name: {}", names()))?;
    Ok((limit, numbers::bytes(number)?))
}

impl LimitArgs {
    /// The library's limits with those that are set; of one that is set twice the last counts.
    pub(crate) fn limits(&self) -> Limits {
        self.limits.iter().fold(Limits::new(), |limits, (limit, most)| limits.with(*limit, *most))
    }
}
