//! The rows, group by group.

mod compressed;
mod directory;
mod image;
mod index;
mod judge;
mod kept;
mod lanes;
mod layers;
mod stream;
mod verity;

use crate::bench::Bench;
use crate::done::Done;
use crate::report::Row;

type Group = (&'static str, &'static str, fn(&Bench, &mut Vec<Row>) -> Done);

/// Name, what it is, and who runs it.
pub(crate) const GROUPS: [Group; 9] = [
    ("index", "500,000 files indexed, beside mkfs.erofs; bytes of metadata", index::run),
    ("flat", "directories of 100,000 and of 1,000,000 files", directory::run),
    ("verity", "4 GiB sealed, beside veritysetup and go-dmverity", verity::run),
    ("lanes", "blocks hashed on one core, beside the sha2 crate", lanes::run),
    ("stream", "a layer's disk in one pass, beside cat, SHA-256 and nydus-image", stream::run),
    (
        "unpack",
        "compressed layers sealed, beside igzip, zstd and others' pipeline",
        compressed::run,
    ),
    ("image", "an image of five compressed layers sealed, beside igzip", image::run),
    ("kept", "an image's hash tree from digests that are kept", kept::run),
    ("merge", "layers merged", layers::run),
];

/// Runs the groups of these names, or all; a group that fails is a row that says why.
pub(crate) fn run(bench: &Bench, names: &[String]) -> Done<Vec<Row>> {
    if let Some(name) = names.iter().find(|name| GROUPS.iter().all(|group| group.0 != **name)) {
        return Err(format!("no row {name}: {}", GROUPS.map(|group| group.0).join(", ")));
    }
    let mut rows = Vec::new();
    for (name, what, group) in GROUPS {
        if names.is_empty() || names.iter().any(|given| given == name) {
            eprintln!("compare: {name}: {what}");
            if let Err(why) = group(bench, &mut rows) {
                eprintln!("compare: FAILED: {why}");
                rows.push(Row::failed(name, why));
            }
        }
    }
    Ok(rows)
}
