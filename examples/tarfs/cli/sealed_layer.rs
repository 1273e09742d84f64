//! `DISK=ROOT`: a layer's disk that has a hash tree behind it, and the root hash of that.

use std::path::PathBuf;

use erofs_tarfs::verity::{self, Digest};

/// A layer's disk and the root hash of the tree behind it.
#[derive(Clone, Debug)]
pub(crate) struct SealedLayer {
    pub(crate) disk: PathBuf,
    pub(crate) root: Digest,
}

/// Reads `DISK=ROOT`.
pub(crate) fn parse(text: &str) -> Result<SealedLayer, String> {
    let (disk, root) = text.rsplit_once('=').ok_or("DISK=ROOT is wanted")?;
    let root = root.strip_prefix("sha256:").unwrap_or(root);
    let root = root.parse().map_err(|error: verity::Error| error.to_string())?;
    Ok(SealedLayer { disk: disk.into(), root })
}
