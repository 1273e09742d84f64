//! A tar becomes a layer.

use std::rc::Rc;

use erofs_tarfs::ingest;
use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::tree::LayerOptions;

use crate::cli::fail::Done;
use crate::cli::progress::{Progress, Stage};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::loaded::{Backing, Loaded};
use crate::layers::noted::Noted;

/// How a tar that streams by becomes a layer.
pub(crate) fn ingest_options(layer: LayerOptions, tag: Option<&str>) -> ingest::IngestOptions {
    ingest::IngestOptions::new()
        .layer(layer.tag(tag.unwrap_or_default()))
        .diff_id(true)
        .tag_diff_id(tag.is_none())
}

/// The same, as layers are read for a command.
pub(crate) fn reading(how: &ReadingOptions<'_>, tag: Option<&str>) -> ingest::IngestOptions {
    ingest_options(how.layer.clone(), tag).leaves(how.leaves.clone())
}

/// The layer that came of a tar in this file, and the tar's SHA-256.
pub(crate) fn ingested(file: NamedFile, done: ingest::Ingested) -> (Loaded, String) {
    let digest = done.diff_id.map(|digest| digest.to_string()).unwrap_or_default();
    let (name, noted) = (file.path().to_owned(), Noted::of(&done.layer));
    let (tree, end) = (done.layer.tree, Some(done.layer.end));
    (
        Loaded {
            name,
            diff_id: Some(digest.clone()).filter(|digest| !digest.is_empty()),
            tree,
            backing: Backing::File(file),
            leaves: done.leaves.map(Rc::new),
            end,
            noted,
            platform: None,
        },
        digest,
    )
}

/// Indexes a tar; a link to a file of a lower layer waits for the merge, or is an error.
pub(crate) fn indexed(tar: NamedFile, options: LayerOptions) -> Done<Loaded> {
    let progress = Progress::new(Stage::Indexing, Some(tar.bytes()?));
    let layer = tarfs_io::index_file(&tar, options, &mut progress.observer())?;
    let name = tar.path().to_owned();
    let (backing, noted, end) = (Backing::File(tar), Noted::of(&layer), Some(layer.end));
    let (tree, diff_id) = (layer.tree, None);
    Ok(Loaded { name, diff_id, tree, backing, leaves: None, end, noted, platform: None })
}
