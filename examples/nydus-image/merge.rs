//! `merge`: bootstraps of layers become that of their image.

use std::path::{Path, PathBuf};

use clap::Args;
use erofs_tarfs::io::Output;
use erofs_tarfs::tree::{MergeOptions, Note, Tree, merge_noting};

use crate::bootstrap::Bootstrap;
use crate::fail::{Done, Fail, warn};
use crate::{refused, result, target};

/// So many notes of a merge are shown.
const SHOWN: usize = 10;

/// Of `merge`.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The bootstrap to make.
    #[arg(short = 'B', long, value_name = "FILE")]
    bootstrap: PathBuf,
    /// A file that gets a JSON object about what was made.
    #[arg(short = 'J', long, value_name = "FILE")]
    output_json: Option<PathBuf>,
    /// Do not wait until outputs are on the disk: after a power cut they may be empty, or not whole.
    #[arg(long)]
    no_sync: bool,
    /// Bootstraps of the layers, the lowest first.
    #[arg(value_name = "LAYER", required = true)]
    layers: Vec<PathBuf>,
    /// Where the tars lie: accepted, and without effect.
    #[arg(short = 'D', long, hide = true)]
    blob_dir: Option<PathBuf>,
    /// What is read ahead by nydusd: accepted, and without effect.
    #[arg(long, hide = true)]
    prefetch_policy: Option<String>,
    #[command(flatten)]
    refused: refused::OfMerge,
}

/// Makes the bootstrap, which gets its name as the last step.
pub(crate) fn run(args: &Merge) -> Done {
    args.refused.refuse()?;
    let read = || args.layers.iter().map(PathBuf::as_path);
    let bootstrap = target::path(&args.bootstrap, read())?;
    let out = Output::new(&bootstrap)?.synced(!args.no_sync);
    let json = result::file(args.output_json.as_ref(), read())?;
    let json = json.map(|json| json.synced(!args.no_sync));
    let layers = args.layers.iter().map(|path| Bootstrap::read(path)?.tree());
    let layers = layers.collect::<Done<Vec<Tree>>>()?;
    let tree = merged(&args.bootstrap, &layers, &args.layers)?;
    target::write(&tree, &out)?;
    if let Some(json) = &json {
        result::write(json, &bootstrap, &tree)?;
    }
    result::finish(out, json)
}

/// The layers as one tree. Each layer with file data keeps its device, though another layer has the same
/// one: nydus-snapshotter passes a `device=` for each layer whose blob ID the bootstrap names.
fn merged(name: &Path, layers: &[Tree], paths: &[PathBuf]) -> Done<Tree> {
    let options = MergeOptions::new().device_per_layer(true);
    let mut notes = Vec::new();
    let trees: Vec<&Tree> = layers.iter().collect();
    let tree = merge_noting(&trees, &options, &mut |note| notes.push(note));
    let tree = tree.map_err(|error| Fail::of(name, error))?;
    for note in notes.iter().take(SHOWN) {
        let layer = match note {
            Note::LinkReplaced { layer, .. }
            | Note::FileReplaced { layer, .. }
            | Note::ListedTwice { layer, .. } => paths.get(*layer),
            _ => None,
        };
        warn(layer.map_or(name, |path| path), note);
    }
    if let more @ 1.. = notes.len().saturating_sub(SHOWN) {
        warn(name, format_args!("and {more} more such places"));
    }
    Ok(tree)
}
