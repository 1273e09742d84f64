//! `tarfs export`: the six modes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use erofs_tarfs::image;
use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::layout;
use erofs_tarfs::tree::Tree;
use erofs_tarfs::verity::{Geometry, Params, Placement};

use crate::args::{Export, Mode};
use crate::fail::{Done, Fail};
use crate::form::Form;
use crate::load::{self, Loaded, Origin};
use crate::output::{self, Output};
use crate::overlaid::{Made, Wanted};
use crate::progress::Progress;
use crate::report::{Report, Verity};
use crate::spool::{Spool, file_name};
use crate::{geometry, leaves, merge, overlaid};

pub(crate) fn run(args: &Export) -> Done {
    let job = Job {
        options: geometry::options(&args.layout, true)?,
        params: geometry::params(&args.verity)?,
        hashing: geometry::threads(&args.verity),
        what: match args.mode {
            Mode::LayerBlock | Mode::ImageBlock => What::Disk,
            Mode::LayerBlockWithVerity | Mode::ImageBlockWithVerity => What::Sealed,
            Mode::LayerVerityOnly | Mode::ImageVerityOnly => What::Tree,
        },
        form: args.forms.form,
    };
    let by_layer =
        matches!(args.mode, Mode::LayerBlock | Mode::LayerBlockWithVerity | Mode::LayerVerityOnly);
    output::spare_inputs(&args.output, &args.inputs.layers)?;
    let dir = output::directory(&args.output).to_owned();
    if !args.forms.are_plain() {
        overlaid::check(args, job.what)?;
    }
    let mut spool = match args.forms.form {
        Form::Raw => Spool::Temporary(dir),
        // Over the tars, so they stay.
        Form::Vmdk | Form::DmLinear => Spool::Kept(dir, Vec::new()),
    };
    let mut layers = load::all(&args.inputs.layers, &args.inputs.at.how(), &mut spool)?;
    leaves::read(&mut layers, &args.sealed, &job.params, &job.hashing)?;
    if !args.forms.are_plain() {
        return overlaid(&job, args, &layers, by_layer, spool);
    }
    if by_layer && (layers.len() > 1 || args.output.is_dir()) {
        return each(&job, &layers, args);
    }
    let out = Output::new(&args.output)?;
    let report = if by_layer {
        let Some(layer) = layers.first() else {
            return Err(Fail::of(&args.output, "there is no layer to make it of"));
        };
        job.make(&out, &layer.tree, &layer.origins())?
    } else {
        let tree = merge::merged(&layers)?;
        job.make(&out, &tree, &merge::origins(&tree, &layers)?)?
    };
    out.finish()?;
    report.print(args.json)
}

/// Disks that are not plain files; all of them or none.
fn overlaid(job: &Job, args: &Export, layers: &[Loaded], by_layer: bool, spool: Spool) -> Done {
    let merged = match by_layer {
        true => None,
        false => Some(merge::merged(layers)?),
    };
    let mut wanted = Vec::new();
    if let Some(tree) = &merged {
        let sources = merge::sources(tree, layers)?;
        wanted.push(Wanted { name: "image".to_owned(), tree, sources });
    } else {
        for (index, layer) in layers.iter().enumerate() {
            // As much of the tag as a partition's name holds.
            let name = stem(layer, index).chars().take(36).collect();
            wanted.push(Wanted { name, tree: &layer.tree, sources: layer.sources()? });
        }
    }
    let mut made = Vec::new();
    let mut directory = None;
    if by_layer && !args.forms.gpt && (layers.len() > 1 || args.output.is_dir()) {
        directory = Some(Directory::new(&args.output)?);
        for (index, wanted) in wanted.into_iter().enumerate() {
            let path = args.output.join(job.file_name(&layers[index], index));
            made.push(overlaid::make(job, args, &path, vec![wanted])?);
        }
    } else {
        made.push(overlaid::make(job, args, &args.output, wanted)?);
    }
    spool.finish()?;
    Made::finish(made, args.json)?;
    if let Some(directory) = directory {
        directory.keep();
    }
    Ok(())
}

/// A file for each layer, in a directory; all of them or none.
fn each(job: &Job, layers: &[Loaded], args: &Export) -> Done {
    let made = Directory::new(&args.output)?;
    let mut reports = Vec::new();
    let mut outputs = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, layer) in layers.iter().enumerate() {
        let path = args.output.join(job.file_name(layer, index));
        let out = Output::new(&path)?;
        reports.push(job.make(&out, &layer.tree, &layer.origins())?);
        // The same layer again has the same name, and the same bytes.
        if taken.insert(path) {
            outputs.push(out);
        }
    }
    outputs.into_iter().try_for_each(Output::finish)?;
    made.keep();
    reports.iter().try_for_each(|report| report.print(args.json))
}

/// A directory that is gone again when nothing came of it.
struct Directory(Option<PathBuf>);

impl Directory {
    fn new(path: &Path) -> Done<Self> {
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

/// What to make of a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Disk,
    Sealed,
    Tree,
}

pub(crate) struct Job {
    pub(crate) options: layout::Options,
    pub(crate) params: Params,
    pub(crate) hashing: tarfs_io::verity::Options,
    pub(crate) what: What,
    form: Form,
}

impl Job {
    fn file_name(&self, layer: &Loaded, index: usize) -> String {
        let extension = if self.what == What::Tree { "verity" } else { self.form.extension() };
        format!("{}.{extension}", stem(layer, index))
    }

    /// Makes the output of a tree. `origins` say where each of its devices is.
    fn make(&self, out: &Output, tree: &Tree, origins: &[Origin<'_>]) -> Done<Report> {
        let (path, file) = (out.path(), out.file()?);
        let layout = merge::plan(path, tree, &self.options)?;
        let plan = image::disk(&layout);
        // A tree protects whole blocks only.
        let data_bytes = plan.bytes + self.params.data_padding(plan.bytes);
        let geometry = |placement| {
            Geometry::new(&self.params, data_bytes, placement)
                .map_err(|error| Fail::of(path, error))
        };
        let sources = || -> Done<Vec<NamedFile>> {
            origins.iter().map(|(layer, index)| layer.source(*index)).collect()
        };
        let kept: Vec<_> = origins.iter().map(|(layer, _)| layer.leaves.as_deref()).collect();
        let hash = |sources: &[NamedFile], geometry| {
            let progress = Progress::new("hashing", Some(data_bytes));
            let (hashing, observer) = (&self.hashing, &progress.observer());
            tarfs_io::hash_disk(&plan, &layout, sources, &kept, geometry, &file, hashing, observer)
        };
        match self.what {
            What::Disk => {
                let copied = merge::disk(&layout, &sources()?, &file)?;
                let mut report = Report::new(path, plan.bytes, &layout, plan.bytes);
                report.made.copied = Some(copied.into());
                Ok(report)
            }
            What::Sealed => {
                let geometry = geometry(Placement::BehindData)?;
                let sources = sources()?;
                let copied = merge::disk(&layout, &sources, &file)?;
                let end = geometry.end();
                file.set_bytes(end)?;
                let sealed = match kept.iter().any(Option::is_some) {
                    true => hash(&sources, geometry)?,
                    false => crate::verity::seal(&file, &file, geometry, &self.hashing, false)?,
                };
                let mut report = Report::new(path, end, &layout, plan.bytes);
                report.verity = Some(Verity::new(&sealed, path, path));
                report.made.copied = Some(copied.into());
                Ok(report)
            }
            What::Tree => {
                let geometry = geometry(Placement::OwnFile)?;
                let end = geometry.end();
                let sources = sources()?;
                let sealed = hash(&sources, geometry)?;
                let mut report = Report::new(path, end, &layout, plan.bytes);
                report.verity = Some(Verity::new(&sealed, Path::new("DISK"), path));
                Ok(report)
            }
        }
    }
}

/// What a layer is called, by its tag or else its number.
fn stem(layer: &Loaded, index: usize) -> String {
    let tag = layer.tree.devices().first().map(|device| device.tag.as_slice());
    match tag {
        Some(tag) if !tag.is_empty() => file_name(&String::from_utf8_lossy(tag)),
        // No file in the layer has any data.
        _ => format!("layer-{}", index + 1),
    }
}
