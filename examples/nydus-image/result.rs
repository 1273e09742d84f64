//! The file of `--output-json`: what was made, with the fields that Nydus's program has.

use std::path::{Path, PathBuf};

use erofs_tarfs::io::Output;
use erofs_tarfs::tree::Tree;
use serde_json::json;

use crate::fail::{Done, Fail};
use crate::target;

/// The file, which is written when it is known what was made. It takes the place of none that is read.
pub(crate) fn file<'a>(
    path: Option<&PathBuf>,
    read: impl IntoIterator<Item = &'a Path>,
) -> Done<Option<Output>> {
    let Some(path) = path else { return Ok(None) };
    Ok(Some(Output::new(&target::path(path, read)?)?))
}

/// Gives a bootstrap its name, and the file beside it, if there is one. They must be two.
pub(crate) fn finish(bootstrap: Output, json: Option<Output>) -> Done {
    match &json {
        Some(json) if target::is_same(bootstrap.path(), json.path()) => {
            let why =
                "would be the name of two outputs: the second would take the first one's place";
            Err(Fail::of(json.path(), why))
        }
        _ => Ok(Output::finish([Some(bootstrap), json].into_iter().flatten().collect())?),
    }
}

/// Writes to the file what was made, or checked.
pub(crate) fn write(file: &Output, bootstrap: &Path, tree: &Tree) -> Done {
    let blobs = tree.devices().iter().map(|device| String::from_utf8_lossy(&device.tag));
    let result = json!({
        "version": concat!("erofs-tarfs ", env!("CARGO_PKG_VERSION")),
        "bootstrap": bootstrap.to_string_lossy(),
        "blobs": blobs.collect::<Vec<_>>(),
        "external_bootstrap": "",
        "external_blobs": [],
        "trace": {},
        "fs_version": "6",
        "compressor": "none",
    });
    Ok(file.file().write_all_at(format!("{result:#}").as_bytes(), 0)?)
}
