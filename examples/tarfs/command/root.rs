//! `tarfs root`.

use std::path::Path;

use clap::Args as Group;
use erofs_tarfs::export::{self, ExportOptions, Mode};
use erofs_tarfs::io::{self as tarfs_io, Error, Step};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::units::BlockSize;

use crate::cli::change_options::Changing;
use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::{self, HashTree};
use crate::cli::image_options::{self, Layout};
use crate::cli::progress::{self, Steps};
use crate::cli::reading_options::{Inputs, ReadingOptions};
use crate::files::argument_files;
use crate::layers::changed::Changer;
use crate::layers::spool::Spool;
use crate::layers::{load, merged, same_devices, warnings};
use crate::make::{backings, image, work};
use crate::show::root_report::RootReport;

/// What the help says behind the options.
const HELP: &str = "\
The hash is that of the disk which `tarfs export` makes of the same LAYERs with the same options, in mode
image_block_with_verity, or with --each-layer in mode layer_block_with_verity; C, Go and the library
make the same disk. Another option, or another order of layers, is another hash. Nothing is written:
a compressed layer is uncompressed into an unnamed file in $TMPDIR.

  tarfs root oci:DIR:latest                        # of the image that skopeo or umoci wrote
  tarfs root --each-layer --preset containerd oci:DIR:latest
  test \"$(tarfs root base.tar app.tar)\" = \"$EXPECTED\"

One hash is one line of hex digits; with --each-layer there is a line for each layer, lowest first, with
its name behind the hash.";

#[derive(Debug, Group)]
#[command(after_help = HELP)]
pub(crate) struct Root {
    /// The root hash of each layer's disk, lowest first, instead of that of the merged layers' disk.
    #[arg(long)]
    each_layer: bool,
    #[command(flatten)]
    layout: Layout,
    #[command(flatten)]
    changing: Changing,
    #[command(flatten)]
    tree: HashTree,
    /// Print one JSON object about each disk, one a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    inputs: Inputs,
}

pub(crate) fn run(args: &Root) -> Done {
    let options = options(args)?;
    let changer = Changer::new(&args.changing)?;
    argument_files::protect(&args.inputs.layers);
    // The tree is all that is made, so blocks are hashed while their tars are unpacked.
    let is_whole = options.layout.block_size == BlockSize::B512;
    let leaves = is_whole.then(|| options.verity.clone());
    let how = ReadingOptions { leaves, ..args.inputs.how() };
    let mut spool = Spool::Temporary(std::env::temp_dir());
    progress::passes(1);
    let mut layers = load::all(&args.inputs.layers, &how, &mut spool)?;
    warnings::all(&layers, args.inputs.strict)?;
    let mode = match args.each_layer {
        true => Mode::LayerBlockWithVerity,
        false => Mode::ImageBlockWithVerity,
    };
    let merged = match args.each_layer {
        true => {
            changer.each(&mut layers)?;
            None
        }
        false => {
            same_devices::identify(&mut layers);
            let (tree, noted) = merged::merged(&layers, &how.merge)?;
            Some((changer.tree(Path::new("the image"), tree)?, noted))
        }
    };
    let trees: Vec<&Tree> = match &merged {
        Some((tree, _)) => vec![tree],
        None => layers.iter().map(|layer| &layer.tree).collect(),
    };
    // A hash tree alone is no less work than what is done here: nothing is written.
    let product = Mode::ImageVerityOnly.product();
    let steps = Steps::new(|| work::bytes(&trees, product, &options, export::Form::Raw, None));
    let export = tarfs_io::Export::new(mode).options(options);
    let export = export.hashing(hash_tree_options::threads(&args.tree.hashing));
    let export = export.observer(|step, bytes| steps.inc(step == Step::Hashing, bytes));
    let export = backings::given(export, merged.as_ref().map(|(tree, _)| tree), &layers)?;
    let hashed = export.hash().map_err(|error| explain(error, args.each_layer))?;
    drop(steps);
    let mut names = layers.iter().map(|layer| &*layer.name);
    for sealed in &hashed {
        let layer = if args.each_layer { names.next() } else { None };
        RootReport::new(layer, sealed).print(args.json)?;
    }
    Ok(())
}

/// How the disk would be laid out and sealed.
fn options(args: &Root) -> Done<ExportOptions> {
    let layout = image_options::options(&args.layout, true, args.inputs.how().limits)?;
    let params = hash_tree_options::mountable(&args.tree, layout.block_size)?;
    if args.each_layer {
        image_options::of_each(&args.layout, args.inputs.layers.len())?;
    }
    let any_data_block = args.tree.any_data_block;
    Ok(ExportOptions::new().layout(layout).verity(params).any_data_block(any_data_block))
}

/// What the library says of a disk that cannot be, which has no name here.
fn explain(error: Error, each_layer: bool) -> Fail {
    let called = Path::new(if each_layer { "a layer's disk" } else { "the image's disk" });
    match error {
        Error::Export { error: export::Error::Layout(error), .. } => image::unfit(called, error),
        error @ (Error::Export { .. } | Error::Merge { .. }) => Fail::called(error, called),
        error => error.into(),
    }
}
