//! `tarfs export`: the six modes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use erofs_tarfs::export::{self, Mode, Options, Product};

use crate::args::Export;
use crate::fail::{Done, Fail};
use crate::form::Form;
use crate::job::Job;
use crate::load::{self, Loaded};
use crate::output::{self, Output};
use crate::overlaid::{Made, Wanted};
use crate::report::Report;
use crate::spool::Spool;
use crate::{geometry, leaves, merge, notes, overlaid, place, quote, same, spare, volume};

pub(crate) fn run(args: &Export) -> Done {
    let (mode, mut options) = (Mode::from(args.mode), Options::default());
    options.layout = geometry::options(&args.layout, true)?;
    let product = mode.product();
    let params = match product {
        Product::Disk if args.sealing.is_set() || !args.sealed.is_empty() => {
            let why = "options of a hash tree, and --sealed, want a mode that makes one";
            return Err(Fail::Usage(why.to_owned()));
        }
        Product::Disk => geometry::params(&args.sealing.preset)?,
        Product::SealedDisk | Product::HashTree => {
            geometry::mountable(&args.sealing, options.layout.block_size)?
        }
    };
    options.any_data_block = args.sealing.any_data_block;
    if mode.is_by_layer() && args.inputs.layers.len() > 1 && args.layout.uuid.is_some() {
        let why = "--uuid is of one filesystem: those of several layers follow from their content";
        return Err(Fail::Usage(why.to_owned()));
    }
    options.verity = match args.forms.volume() {
        Some(_) => geometry::with_superblock(params)?,
        None => params,
    };
    let hashing = geometry::threads(&args.sealing.hashing);
    let job = Job { product, options, hashing, form: args.forms.form };
    let by_layer = mode.is_by_layer();
    spare::arguments(&args.inputs.layers);
    args.sealed.iter().for_each(|sealed| spare::arguments(&[&sealed.disk]));
    let output = match args.output.is_dir() {
        true => args.output.clone(),
        false => place::named(&args.output)?,
    };
    if !args.forms.are_plain() {
        overlaid::check(args, &output, product)?;
    }
    let mut spool = match args.forms.form {
        Form::Raw => Spool::temporary(&output),
        // Over the tars, so they stay.
        Form::Vmdk | Form::DmLinear => Spool::kept(&output),
    };
    let how = args.inputs.how();
    let mut layers = load::all(&args.inputs.layers, &how, &mut spool)?;
    notes::all(&layers, args.inputs.strict)?;
    if !by_layer {
        same::identify(&mut layers);
    }
    leaves::read(&mut layers, &args.sealed, &job.options.verity, &job.hashing)?;
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
        let (tree, noted) = merge::merged(&layers, &how.merge)?;
        Report { noted, ..job.make(&out, &tree, &merge::origins(&tree, &layers))? }
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
        false => Some(merge::merged(layers, &args.inputs.how().merge)?),
    };
    let mut wanted = Vec::new();
    if let Some((tree, noted)) = &merged {
        let sources = merge::sources(tree, layers)?;
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
                made.push(overlaid::make(job, args, &path, vec![wanted], None)?);
            }
        }
    } else {
        made.push(overlaid::make(job, args, output, wanted, volume)?);
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

/// Which layer has which name.
#[derive(Default)]
struct Names<'l>(BTreeMap<PathBuf, &'l Loaded>);

impl<'l> Names<'l> {
    /// Whether no layer has this name yet. The same layer again has the same name and the same
    /// bytes; of another one, whose tag is the same, nothing would be left.
    fn is_new(&mut self, path: &Path, layer: &'l Loaded) -> Done<bool> {
        let Some(other) = self.0.insert(path.to_owned(), layer) else { return Ok(true) };
        let devices = || layer.tree.devices().iter().zip(other.tree.devices());
        let same = other.tree.devices().len() == layer.tree.devices().len()
            && devices().all(|(one, two)| one.is_same(two));
        match same || other.name == layer.name {
            true => Ok(false),
            false => {
                let why = format_args!("would be the name of {} too", quote::name(&other.name));
                Err(Fail::of(&layer.name, format_args!("{}, its output, {why}", quote::name(path))))
            }
        }
    }
}

/// A directory that is gone again when nothing came of it.
struct Directory(Option<PathBuf>);

impl Directory {
    fn new(path: &Path) -> Done<Self> {
        if place::is_stdout(path) {
            let why = "several layers make several files: -o DIR, not standard output";
            return Err(Fail::Usage(why.to_owned()));
        }
        if path.is_dir() {
            return Ok(Self(None));
        }
        fs::create_dir(path).map_err(|error| Fail::of(path, error))?;
        Ok(Self(Some(path.to_owned())))
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Not if it has something in it, whosever that is.
            let _ = fs::remove_dir(path);
        }
    }
}
