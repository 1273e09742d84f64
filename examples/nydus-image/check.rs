//! `check`: whether a bootstrap, and the tars beside it, are sound.

use std::path::PathBuf;

use clap::Args;
use erofs_tarfs::io::{NamedFile, Output};

use crate::bootstrap::Bootstrap;
use crate::fail::{Done, answer};
use crate::{result, tars};

/// Of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Where the tars lie, by their blob IDs: they must be there, as long as they were.
    #[arg(short = 'D', long, value_name = "DIR")]
    blob_dir: Option<PathBuf>,
    /// A file that gets a JSON object about what was checked.
    #[arg(short = 'J', long, value_name = "FILE")]
    output_json: Option<PathBuf>,
    /// The bootstrap, as Nydus's program took it once.
    #[arg(short = 'B', long = "bootstrap", value_name = "FILE", hide = true)]
    option: Option<PathBuf>,
    /// Say more: accepted, and without effect.
    #[arg(short = 'v', long, hide = true)]
    verbose: bool,
    /// The bootstrap.
    #[arg(value_name = "BOOTSTRAP", required_unless_present = "option", conflicts_with = "option")]
    bootstrap: Option<PathBuf>,
}

/// Reads all of the metadata, and lists the tars.
pub(crate) fn run(args: &Check) -> Done {
    let Some(path) = args.bootstrap.as_ref().or(args.option.as_ref()) else { return Ok(()) };
    let bootstrap = Bootstrap::read(path)?;
    let tree = bootstrap.tree()?;
    let tars = args.blob_dir.as_ref().map(|directory| tars::open(directory, path, &tree));
    let tars = tars.transpose()?.unwrap_or_default();
    let read = tars.iter().map(NamedFile::path).chain([path.as_path()]);
    if let Some(json) = result::file(args.output_json.as_ref(), read)? {
        result::write(&json, path, &tree)?;
        Output::finish(vec![json])?;
    }
    let mut told = "filesystem metadata is valid, referenced data blobs:".to_owned();
    for (index, device) in tree.devices().iter().enumerate() {
        let (id, bytes) = (device.tag.escape_ascii(), device.bytes);
        let sizes = format!("compressed size {bytes}, uncompressed size {bytes}");
        told.push_str(&format!("\n\t {index}: {id}, {sizes}"));
    }
    answer(&told)
}
