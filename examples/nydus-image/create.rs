//! `create`: a layer's tar becomes its bootstrap.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use erofs_tarfs::io::Output;

use crate::fail::{Done, Fail};
use crate::{layer, refused, result, source, target};

/// The longest text that a device's slot has room for.
const BLOB_ID: usize = 64;

/// Of `create`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What is made of what: tar-tarfs, the only one of Nydus's types that is not refused.
    #[arg(
        short = 't',
        long,
        alias = "source-type",
        value_name = "TYPE",
        default_value = "dir-rafs",
        value_parser = PossibleValuesParser::new(refused::TYPES),
        hide_possible_values = true,
        hide_default_value = true
    )]
    r#type: String,
    /// The bootstrap to make.
    #[arg(short = 'B', long, value_name = "FILE")]
    bootstrap: Option<PathBuf>,
    /// What the tar is called: 1 to 64 bytes. Its SHA-256, if not given.
    #[arg(long, value_name = "ID")]
    blob_id: Option<String>,
    /// Where the tar will lie: nothing is written there.
    #[arg(short = 'D', long, value_name = "DIR")]
    blob_dir: Option<PathBuf>,
    /// A file that gets a JSON object about what was made.
    #[arg(short = 'J', long, value_name = "FILE")]
    output_json: Option<PathBuf>,
    /// Do not wait until outputs are on the disk: after a power cut they may be empty, or not whole.
    #[arg(long)]
    no_sync: bool,
    /// A tar: a pipe with a name, which is read to its end, a character device, or a file.
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    #[command(flatten)]
    ignored: Ignored,
    #[command(flatten)]
    refused: refused::OfCreate,
}

/// Options of Nydus's program that change nothing of a tarfs.
#[derive(Debug, Args)]
struct Ignored {
    #[arg(long, hide = true)]
    compressor: Option<String>,
    #[arg(long, hide = true)]
    digester: Option<String>,
    #[arg(long, hide = true)]
    chunk_size: Option<String>,
    #[arg(long, hide = true)]
    whiteout_spec: Option<String>,
    #[arg(long, hide = true)]
    disable_check: bool,
}

/// Makes the bootstrap, which gets its name as the last step.
pub(crate) fn run(args: &Create) -> Done {
    if args.r#type != "tar-tarfs" {
        return Err(refused::conversion(&args.r#type));
    }
    args.refused.refuse()?;
    let Some(bootstrap) = &args.bootstrap else {
        return Err(Fail::usage("no --bootstrap FILE to make"));
    };
    let blob_id = args.blob_id.as_deref();
    let is_name = |id: &str| (1..=BLOB_ID).contains(&id.len()) && !id.contains('/');
    if let Some(id) = blob_id.filter(|id| !is_name(id)) {
        let why = "a name of 1 to 64 bytes, as the tar is found by it";
        return Err(Fail::refused(format!("--blob-id {id}: {why}")));
    }
    // Before all else, as whoever writes to a pipe waits until somebody has opened it: nydus-snapshotter
    // would do so for ever.
    let tar = source::open(&args.source)?;
    let bootstrap = target::path(bootstrap, [args.source.as_path()])?;
    // An output that can't be made is found out before the tar is read.
    let out = Output::new(&bootstrap)?.synced(!args.no_sync);
    let json = result::file(args.output_json.as_ref(), [args.source.as_path()])?;
    let json = json.map(|json| json.synced(!args.no_sync));
    let layer = layer::read(tar, blob_id)?;
    target::write(&layer.tree, &out)?;
    if let Some(json) = &json {
        result::write(json, &bootstrap, &layer.tree)?;
    }
    result::finish(out, json)
}
