//! Limits of what is read, as the user sets them: `--limit NAME=N`.

use clap::Args as Group;
use erofs_tarfs::io::Ratio;
use erofs_tarfs::tree::LayerOptions;

use crate::cli::numbers;

/// Limits of tars.
#[derive(Debug, Group)]
pub(crate) struct Limits {
    /// Set a limit of what is read: max_bytes (of a tar, uncompressed), max_ratio (uncompressed to compressed,
    /// from 256 MiB on; 200), max_entries, max_path_bytes, max_extension_bytes, max_xattr_bytes,
    /// max_global_path_bytes, max_global_xattr_bytes, max_sparse_segments, max_carried, max_implied. N as in
    /// 4096, 64k or 1G. An error that says "over the limit" names the one to raise.
    #[arg(long = "limit", value_name = "NAME=N", value_parser = limit)]
    limits: Vec<Limit>,
}

/// A limit, and what it is set to.
type Limit = (&'static str, u64);

/// Sets a limit of layers.
type Set = fn(&mut LayerOptions, u64);

const RATIO: &str = "max_ratio";

/// The limits of layers, by the names that errors have.
const OF_LAYERS: [(&str, Set); 10] = [
    ("max_bytes", |layer, number| layer.tar.max_bytes = number),
    ("max_entries", |layer, number| layer.max_entries = number),
    ("max_path_bytes", |layer, number| layer.tar.max_path_bytes = size(number)),
    ("max_extension_bytes", |layer, number| layer.tar.max_extension_bytes = number),
    ("max_xattr_bytes", |layer, number| layer.tar.max_xattr_bytes = size(number)),
    ("max_global_path_bytes", |layer, number| layer.tar.max_global_path_bytes = size(number)),
    ("max_global_xattr_bytes", |layer, number| layer.tar.max_global_xattr_bytes = size(number)),
    ("max_sparse_segments", |layer, number| layer.tar.max_sparse_segments = size(number)),
    ("max_carried", |layer, number| layer.max_carried = number),
    ("max_implied", |layer, number| layer.max_implied = number),
];

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn limit(text: &str) -> Result<Limit, String> {
    let (name, number) = text.split_once('=').ok_or("not NAME=N")?;
    let mut names: Vec<&str> = OF_LAYERS.iter().map(|(name, _)| *name).collect();
    names.insert(1, RATIO);
    let known = names.iter().find(|known| **known == name);
    let name = known.ok_or_else(|| format!("no limit of that name: {}", names.join(", ")))?;
    Ok((name, numbers::bytes(number)?))
}

impl Limits {
    /// The options of layers with these limits.
    pub(crate) fn apply(&self, mut layer: LayerOptions) -> LayerOptions {
        for (name, number) in &self.limits {
            if let Some((_, set)) = OF_LAYERS.iter().find(|(known, _)| known == name) {
                set(&mut layer, *number);
            }
        }
        layer
    }

    /// The ratio of uncompressed bytes to compressed ones.
    pub(crate) fn ratio(&self) -> Ratio {
        let mut set = self.limits.iter().filter(|(name, _)| *name == RATIO);
        set.next_back().map_or(Ratio::default(), |(_, number)| Ratio(*number))
    }
}
