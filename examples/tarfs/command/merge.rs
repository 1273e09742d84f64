//! `tarfs merge`.

use std::mem;
use std::path::PathBuf;

use clap::Args as Group;

use crate::cli::change_options::Changing;
use crate::cli::fail::Done;
use crate::cli::help::LAYERS;
use crate::cli::image_options::{self, Layout};
use crate::cli::progress;
use crate::cli::reading_options::{Inputs, ReadingOptions};
use crate::files::durable::Durability;
use crate::files::output::{self, Output};
use crate::files::{argument_files, place};
use crate::layers::changed::Changer;
use crate::layers::merged::Stack;
use crate::layers::spool::Spool;
use crate::layers::{loaded, warnings};
use crate::make::image;

#[derive(Debug, Group)]
#[command(after_help = LAYERS)]
pub(crate) struct Merge {
    /// Output.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Make a disk, tars included, instead of a bootstrap.
    #[arg(long)]
    pub(crate) disk: bool,
    /// A device for each layer, in their order: also for one that is there twice, or that has no
    /// file data, for who mounts with a device= of each. Else a device for each tar that is needed.
    #[arg(long, conflicts_with = "disk")]
    pub(crate) device_per_layer: bool,
    #[command(flatten)]
    pub(crate) layout: Layout,
    #[command(flatten)]
    pub(crate) changing: Changing,
    #[command(flatten)]
    pub(crate) durability: Durability,
    /// Print one JSON object about the output.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

pub(crate) fn run(args: &Merge) -> Done {
    args.durability.set();
    let options = image_options::options(&args.layout, args.disk, args.inputs.how().limits)?;
    let changer = Changer::new(&args.changing)?;
    argument_files::protect(&args.inputs.layers);
    let output = place::named(&args.output)?;
    let out = Output::new(&output)?;
    let mut spool = match args.disk {
        true => Spool::temporary(&output),
        false => Spool::kept(&output),
    };
    let mut how = ReadingOptions { tag_files: !args.disk, ..args.inputs.how() };
    how.merge.device_per_layer = args.device_per_layer;
    how.layer.keep_empty_device = args.device_per_layer;
    progress::passes(u64::from(args.disk));
    let stack = Stack::load(&args.inputs.layers, &how, &mut spool)?;
    warnings::all(&stack.layers, args.inputs.strict)?;
    let (layers, tree, noted) = stack.merged(&how.merge)?;
    let tree = changer.tree(&output, tree)?;
    let mut report =
        image::write(&output, &tree, &options, &out, || loaded::sources(&tree, &layers))?;
    output::finish(spool.outputs().into_iter().chain([out]).collect())?;
    report.noted = noted;
    let printed = report.print(args.json);
    // The system takes back all memory at once; piece by piece it takes a twentieth of the time of a merge.
    mem::forget((layers, tree));
    printed
}
