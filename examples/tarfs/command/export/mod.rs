//! `tarfs export`: the six modes.

mod arguments;

use std::path::Path;

use erofs_tarfs::export::{self, Mode, Options, Product};

pub(crate) use self::arguments::Export;
use crate::cli::fail::{Done, Fail};
use crate::cli::{hash_tree_options, image_options};
use crate::files::output::{self, Output};
use crate::files::{argument_files, place};
use crate::layers::loaded::{self, Loaded};
use crate::layers::spool::Spool;
use crate::layers::{load, merged, same_devices, warnings};
use crate::make::directory::{Directory, Names};
use crate::make::disk_form::DiskForm;
use crate::make::job::Job;
use crate::make::over_files::{self, Made, Wanted};
use crate::make::{known_digests, volume};
use crate::show::report::Report;

pub(crate) fn run(args: &Export) -> Done {
    let (mode, mut options) = (Mode::from(args.mode), Options::default());
    options.layout = image_options::options(&args.layout, true)?;
    let product = mode.product();
    let params = match product {
        Product::Disk if args.sealing.is_set() || !args.sealed.is_empty() => {
            let why = "options of a hash tree, and --sealed, want a mode that makes one";
            return Err(Fail::Usage(why.to_owned()));
        }
        Product::Disk => hash_tree_options::params(&args.sealing.preset)?,
        Product::SealedDisk | Product::HashTree => {
            hash_tree_options::mountable(&args.sealing, options.layout.block_size)?
        }
    };
    options.any_data_block = args.sealing.any_data_block;
    if mode.is_by_layer() && args.inputs.layers.len() > 1 && args.layout.uuid.is_some() {
        let why = "--uuid is of one filesystem: those of several layers follow from their content";
        return Err(Fail::Usage(why.to_owned()));
    }
    options.verity = match args.forms.volume() {
        Some(_) => hash_tree_options::with_superblock(params)?,
        None => params,
    };
    let hashing = hash_tree_options::threads(&args.sealing.hashing);
    let job = Job { product, options, hashing, form: args.forms.form };
    let by_layer = mode.is_by_layer();
    argument_files::protect(&args.inputs.layers);
    args.sealed.iter().for_each(|sealed| argument_files::protect(&[&sealed.disk]));
    let output = match args.output.is_dir() {
        true => args.output.clone(),
        false => place::named(&args.output)?,
    };
    if !args.forms.are_plain() {
        over_files::check(&args.forms, &output, product)?;
    }
    let mut spool = match args.forms.form {
        DiskForm::Raw => Spool::temporary(&output),
        // Such disks refer to the uncompressed tars, so those are kept.
        DiskForm::Vmdk | DiskForm::DmLinear => Spool::kept(&output),
    };
    let how = args.inputs.how();
    let mut layers = load::all(&args.inputs.layers, &how, &mut spool)?;
    warnings::all(&layers, args.inputs.strict)?;
    if !by_layer {
        same_devices::identify(&mut layers);
    }
    known_digests::read(&mut layers, &args.sealed, &job.options.verity, &job.hashing)?;
    if !args.forms.are_plain() {
        return overlaid(&job, args, &output, &layers, by_layer, spool);
    }
    if by_layer && (layers.len() > 1 || output.is_dir()) {
        return each(&job, &layers, args, &output);
    }
    let out = Output::new(&output)?;
    let report = if by_layer {
        let Some(layer) = layers.first() else {
            return Err(Fail::of(&args.output, "there is no layer to make it of"));
        };
        Report { noted: layer.noted, ..job.make(&out, &layer.tree, &layer.origins())? }
    } else {
        let (tree, noted) = merged::merged(&layers, &how.merge)?;
        Report { noted, ..job.make(&out, &tree, &loaded::origins(&tree, &layers))? }
    };
    out.finish()?;
    report.print(args.json)
}

/// Disks that are not plain files; all of them or none.
fn overlaid(
    job: &Job,
    args: &Export,
    output: &Path,
    layers: &[Loaded],
    by_layer: bool,
    spool: Spool,
) -> Done {
    if let (Some(_), true, 2..) = (args.forms.volume(), by_layer, layers.len()) {
        let why = "--gpt=dps is of one file system, and these are several: an image_* mode";
        return Err(Fail::Usage(why.to_owned()));
    }
    let volume = volume::wanted(&args.forms, args.inputs.how().platform, layers)?;
    let merged = match by_layer {
        true => None,
        false => Some(merged::merged(layers, &args.inputs.how().merge)?),
    };
    let mut wanted = Vec::new();
    if let Some((tree, noted)) = &merged {
        let sources = loaded::sources(tree, layers)?;
        wanted.push(Wanted { name: "image".to_owned(), tree, sources, noted: *noted });
    } else {
        for (index, layer) in layers.iter().enumerate() {
            // As much of the tag as a partition's name holds.
            let name = export::stem(&layer.tree, index).chars().take(36).collect();
            let (tree, noted) = (&layer.tree, layer.noted);
            wanted.push(Wanted { name, tree, sources: layer.sources()?, noted });
        }
    }
    let mut made = Vec::new();
    let mut directory = None;
    if by_layer && args.forms.gpt.is_none() && (layers.len() > 1 || output.is_dir()) {
        directory = Some(Directory::new(output)?);
        let mut taken = Names::default();
        for (index, wanted) in wanted.into_iter().enumerate() {
            let path = output.join(job.file_name(&layers[index], index));
            if taken.is_new(&path, &layers[index])? {
                made.push(over_files::make(job, &args.forms, &path, vec![wanted], None)?);
            }
        }
    } else {
        made.push(over_files::make(job, &args.forms, output, wanted, volume)?);
    }
    Made::finish(made, spool.outputs(), args.json)?;
    if let Some(directory) = directory {
        directory.keep();
    }
    Ok(())
}

/// A file for each layer, in a directory; all of them or none.
fn each(job: &Job, layers: &[Loaded], args: &Export, output: &Path) -> Done {
    let made = Directory::new(output)?;
    let mut reports = Vec::new();
    let mut outputs = Vec::new();
    let mut taken = Names::default();
    for (index, layer) in layers.iter().enumerate() {
        let path = output.join(job.file_name(layer, index));
        let out = Output::new(&path)?;
        let report = job.make(&out, &layer.tree, &layer.origins())?;
        reports.push(Report { noted: layer.noted, ..report });
        if taken.is_new(&path, layer)? {
            outputs.push(out);
        }
    }
    output::finish(outputs)?;
    made.keep();
    reports.iter().try_for_each(|report| report.print(args.json))
}
