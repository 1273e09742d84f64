//! `tarfs export`: the six modes.

mod arguments;
mod errors;
mod marks;
mod print;
mod sidecars;

use std::path::Path;

use erofs_tarfs::export::{ExportOptions, Form, Mode, Partitioning, Product};
use erofs_tarfs::io::{self as tarfs_io, Step};
use erofs_tarfs::layout::{Artifact, DiskOrder};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{Algorithm, Params};

pub(crate) use self::arguments::Export;
use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{self, Steps};
use crate::cli::reading_options::ReadingOptions;
use crate::cli::{hash_tree_options, image_options, quote};
use crate::files::output::{self, Output};
use crate::files::target::Target;
use crate::files::{argument_files, durable, place};
use crate::layers::changed::Changer;
use crate::layers::loaded::Loaded;
use crate::layers::noted::Noted;
use crate::layers::spool::Spool;
use crate::layers::{load, merged, same_devices, warnings};
use crate::make::{backings, known_digests, volume, work};

pub(crate) fn run(args: &Export) -> Done {
    args.durability.set();
    let (mode, options) = (Mode::from(args.mode), options(args)?);
    marks::check(args, mode.product(), &options.verity)?;
    let changer = Changer::new(&args.changing)?;
    let (product, form) = (mode.product(), args.forms.form());
    let by_layer = mode.is_by_layer();
    argument_files::protect(&args.inputs.layers);
    args.sealed.iter().for_each(|sealed| argument_files::protect(&[&sealed.disk]));
    let output = match is_directory(&args.output) {
        true => args.output.clone(),
        false => place::named(&args.output)?,
    };
    check(args, &output, product)?;
    progress::passes(passes(product, form));
    let mut spool = match form.is_over_files() {
        false if is_begun(args, product, &options) => Spool::begun_in(&output)?,
        false => Spool::temporary(&output),
        // Over the tars, so they stay.
        true => Spool::kept(&output),
    };
    let leaves = kept_leaves(args, product, &options);
    let how = ReadingOptions { leaves, ..args.inputs.how() };
    let mut layers = load::all(&args.inputs.layers, &how, &mut spool)?;
    warnings::all(&layers, args.inputs.strict)?;
    if !by_layer {
        same_devices::identify(&mut layers);
    }
    let hashing = hash_tree_options::threads(&args.sealing.tree.hashing);
    known_digests::read(&mut layers, &args.sealed, &options.verity, &hashing)?;
    let partitioning = partitioning(args, by_layer, &layers)?;
    let in_directory = layers.len() > 1 || is_directory(&output);
    let several = by_layer && args.forms.gpt.is_none() && in_directory;
    if several && place::is_stdout(&output) {
        let why = "several layers make several files: -o DIR, not standard output";
        return Err(Fail::Usage(why.to_owned()));
    }
    sidecars::check(args, product, &options.verity, several)?;
    let target = if several { Target::directory(&output) } else { Target::file(&output)? };
    // What is refused now need not be made first.
    let early = if several { None } else { Some(Output::new(&output)?) };

    let merged = match by_layer {
        true => {
            changer.each(&mut layers)?;
            None
        }
        false => {
            let (tree, noted) = merged::merged(&layers, &how.merge)?;
            Some((changer.tree(&output, tree)?, noted))
        }
    };
    let trees: Vec<&Tree> = match &merged {
        Some((tree, _)) => vec![tree],
        None => layers.iter().map(|layer| &layer.tree).collect(),
    };
    let steps = Steps::new(|| work::bytes(&trees, product, &options, form, partitioning));
    let export = tarfs_io::Export::new(mode).options(options).hashing(hashing).form(form);
    let export = export.synced(durable::is_wanted());
    let mut export = export.observer(|step, bytes| steps.inc(step == Step::Hashing, bytes));
    if let Some(partitioning) = partitioning {
        export = export.partitions(partitioning);
    }
    let mut export = backings::given(export, merged.as_ref().map(|(tree, _)| tree), &layers)?;
    if let Some(begun) = spool.begun() {
        export = export.begun(begun);
    }
    let noted: Vec<Noted> = match &merged {
        Some((_, all)) => vec![*all],
        None => layers.iter().map(|layer| layer.noted).collect(),
    };
    let made = export.make(target.path());
    let made = made.map_err(|error| errors::explain(error, &target, &layers))?;
    // The bar goes: what is left is to sync.
    drop((early, steps));
    let files = spool.outputs();
    let sealed = sidecars::sealed(&target, made.exported());
    let mut digests = marks::Digests::new();
    let made = made.finish_with(|outputs| {
        digests = marks::digests(args, &target, &outputs)?;
        let sidecars = sidecars::of(args, &sealed, &outputs)?;
        let outputs = outputs.into_iter().map(|file| target.output(file));
        let outputs = outputs.collect::<Done<Vec<_>>>()?;
        output::finish_in_order(sidecars, files.into_iter().chain(outputs).collect())
    })?;
    print::all(args, product, &target, (made, &digests), noted)
}

/// How often what is read is gone through afterwards.
fn passes(product: Product, form: Form) -> u64 {
    u64::from(product != Product::HashTree && !form.is_over_files())
        + u64::from(product != Product::Disk)
}

/// For which hash tree the blocks of the tars are hashed as they are unpacked: where the disk has the tars
/// as they are, and is not read through its files.
fn kept_leaves(args: &Export, product: Product, options: &ExportOptions) -> Option<Params> {
    let is_whole = options.layout.block_size == BlockSize::B512;
    let wanted = product != Product::Disk && is_whole && args.forms.are_plain();
    wanted.then(|| options.verity.clone())
}

/// Whether tars are unpacked into the disk itself, which they follow one another in: with the data first.
fn is_begun(args: &Export, product: Product, options: &ExportOptions) -> bool {
    let is_data_first = options.layout.artifact == Artifact::Disk(DiskOrder::DataFirst);
    let is_whole = options.layout.block_size == BlockSize::B512;
    let by_layer = Mode::from(args.mode).is_by_layer();
    is_data_first && is_whole && !by_layer && product != Product::HashTree && args.forms.are_plain()
}

/// Whether an output is a directory. A directory that is called as standard output is none.
fn is_directory(output: &Path) -> bool {
    !place::is_stdout(output) && output.is_dir()
}

/// How disks are laid out and hashed.
fn options(args: &Export) -> Done<ExportOptions> {
    let mode = Mode::from(args.mode);
    let layout = image_options::options(&args.layout, true, args.inputs.how().limits)?;
    let mut params = match mode.product() {
        Product::Disk if args.sealing.is_set() || !args.sealed.is_empty() => {
            let why = "options of a hash tree, and --sealed, want a mode that makes one";
            return Err(Fail::Usage(why.to_owned()));
        }
        Product::Disk => hash_tree_options::params(&args.sealing.tree.preset)?,
        Product::SealedDisk | Product::HashTree => {
            hash_tree_options::mountable(&args.sealing.tree, layout.block_size)?
        }
    };
    if args.forms.volume().is_some() {
        params = hash_tree_options::with_superblock(&params)?;
        if params.algorithm() != Algorithm::Sha256 {
            let why = "--gpt: who finds the root hash in the UUIDs of a volume has 32 bytes of it";
            return Err(Fail::Usage(format!("{why}, no {}", params.algorithm())));
        }
    }
    if mode.is_by_layer() {
        image_options::of_each(&args.layout, args.inputs.layers.len())?;
    }
    let any_data_block = args.sealing.tree.any_data_block;
    Ok(ExportOptions::new().layout(layout).verity(params).any_data_block(any_data_block))
}

/// Refuses what makes no sense.
fn check(args: &Export, output: &Path, product: Product) -> Done {
    if product == Product::HashTree && !args.forms.are_plain() {
        let text = "*_verity_only modes make no disk: --form and --gpt say nothing of hash trees";
        return Err(Fail::Usage(text.to_owned()));
    }
    if !args.forms.form().is_over_files() {
        return Ok(());
    }
    // They name files beside them, by the directory that they are in.
    if place::is_stdout(output) {
        let why = "this form names files beside it: -o FILE, not standard output";
        return Err(Fail::Usage(why.to_owned()));
    }
    match output.is_symlink() && !output.is_dir() {
        true => {
            let why = "is a link: this form names files beside it, where it lies";
            Err(Fail::Usage(format!("{}: {why}", quote::name(output))))
        }
        false => Ok(()),
    }
}

/// The partitions that disks go into, if any.
fn partitioning(args: &Export, by_layer: bool, layers: &[Loaded]) -> Done<Option<Partitioning>> {
    if let (Some(_), true, 2..) = (args.forms.volume(), by_layer, layers.len()) {
        let why = "--gpt=dps is of one file system, and these are several: an image_* mode";
        return Err(Fail::Usage(why.to_owned()));
    }
    let volume = volume::wanted(&args.forms, args.inputs.how().platform, layers)?;
    Ok(args.forms.gpt.map(|_| match volume {
        Some((volume, architecture)) => Partitioning::Volume(volume, architecture),
        None => Partitioning::Data,
    }))
}
