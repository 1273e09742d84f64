//! `inspect`: what is in a bootstrap, as JSON.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::bootstrap::Bootstrap;
use crate::fail::{Done, Fail, answer};

/// Of `inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// What to tell: blobs, stats or prefetch.
    #[arg(short = 'R', long, value_name = "REQUEST")]
    request: Option<String>,
    /// The bootstrap, as Nydus's program took it once.
    #[arg(short = 'B', long = "bootstrap", value_name = "FILE", hide = true)]
    option: Option<PathBuf>,
    /// Where the tars lie: accepted, and without effect.
    #[arg(short = 'D', long, hide = true)]
    blob_dir: Option<PathBuf>,
    /// The bootstrap.
    #[arg(value_name = "BOOTSTRAP", required_unless_present = "option", conflicts_with = "option")]
    bootstrap: Option<PathBuf>,
}

/// Prints the answer in one line, without blanks: nydus-snapshotter looks for `"blob_id":"ID"` in it.
pub(crate) fn run(args: &Inspect) -> Done {
    let Some(path) = args.bootstrap.as_ref().or(args.option.as_ref()) else { return Ok(()) };
    let Some(request) = &args.request else {
        return Err(Fail::refused(
            "inspect answers requests alone: -R blobs, -R stats, -R prefetch",
        ));
    };
    let bootstrap = Bootstrap::read(path)?;
    // The one argument "-R blobs" of nydus-snapshotter leaves a blank in front.
    let told = match request.trim() {
        "blobs" => blobs(&bootstrap)?,
        "stats" => json!({ "inodes_count": bootstrap.image()?.superblock().inos.get() }),
        "prefetch" => json!([]),
        request => {
            let known = "blobs, stats and prefetch are known";
            return Err(Fail::refused(format!("-R {request}: {known}")));
        }
    };
    answer(&told.to_string())
}

/// The tars, in the order of the device table, in which they are to be mounted.
fn blobs(bootstrap: &Bootstrap) -> Done<Value> {
    let image = bootstrap.image()?;
    let blob = |device: &erofs_tarfs::read::DeviceInfo| {
        let bytes = device.blocks.saturating_mul(image.block_size().bytes().into());
        json!({
            "blob_id": String::from_utf8_lossy(&device.tag),
            "readahead_offset": 0,
            "readahead_size": 0,
            "decompressed_size": bytes,
            "compressed_size": bytes,
        })
    };
    Ok(image.devices().iter().map(blob).collect())
}
