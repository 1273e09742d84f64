//! `tarfs merge`, and what all commands that make images share.

use std::borrow::Cow;
use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::io::{self as tarfs_io, Copied, NamedFile};
use erofs_tarfs::layout::{self, Artifact, Layout};
use erofs_tarfs::tree::{self, MergeOptions, Tree};

use crate::args::Merge;
use crate::fail::{Done, Fail};
use crate::load::{self, How, Loaded, Origin};
use crate::notes::{self, Merging, Noted};
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::quote;
use crate::report::Report;
use crate::spool::Spool;
use crate::{geometry, place, same, spare};

pub(crate) fn run(args: &Merge) -> Done {
    let options = geometry::options(&args.layout, args.disk)?;
    spare::arguments(&args.inputs.layers);
    let output = place::named(&args.output)?;
    let out = Output::new(&output)?;
    let mut spool = match args.disk {
        true => Spool::temporary(&output),
        false => Spool::kept(&output),
    };
    let mut how = How { tag_files: !args.disk, ..args.inputs.how() };
    how.merge.device_per_layer = args.device_per_layer;
    how.layer.keep_empty_device = args.device_per_layer;
    let mut layers = load::all(&args.inputs.layers, &how, &mut spool)?;
    notes::all(&layers, args.inputs.strict)?;
    same::identify(&mut layers);
    let (tree, noted) = merged(&layers, &how.merge)?;
    let mut report = write(&output, &tree, &options, &out, || sources(&tree, &layers))?;
    output::finish(spool.outputs().into_iter().chain([out]).collect())?;
    report.noted = noted;
    report.print(args.json)
}

/// The layers as one tree, and what was met in them and on the way.
pub(crate) fn merged(layers: &[Loaded], options: &MergeOptions) -> Done<(Tree, Noted)> {
    let trees: Vec<&Tree> = layers.iter().map(|layer| &layer.tree).collect();
    let mut merging = Merging::default();
    let tree = tree::merge_noting(&trees, options, &mut |note| merging.take(note));
    let tree = tree.map_err(|error| {
        let names: Vec<_> = layers.iter().map(|layer| quote::name(&layer.name)).collect();
        Fail::Failed(format!("{}: {error}", names.join(" + ")))
    })?;
    merging.say(layers);
    Ok((tree, Noted::sum(layers, merging.count)))
}

/// Where the devices of a merged tree are.
pub(crate) fn origins<'l>(tree: &Tree, layers: &'l [Loaded]) -> Vec<Origin<'l>> {
    tree.origins().iter().map(|origin| (&layers[origin.layer], origin.device)).collect()
}

/// The files of the devices of a merged tree.
pub(crate) fn sources(tree: &Tree, layers: &[Loaded]) -> Done<Vec<NamedFile>> {
    origins(tree, layers).into_iter().map(|(layer, index)| layer.source(index)).collect()
}

/// Plans a tree; errors name the output.
pub(crate) fn plan<'t>(out: &Path, tree: &'t Tree, options: &layout::Options) -> Done<Layout<'t>> {
    layout::plan(tree, options).map_err(|error| unfit(out, error))
}

/// What to say of a tree that does not fit.
pub(crate) fn unfit(out: &Path, error: layout::Error) -> Fail {
    match error {
        error @ layout::Error::NotAligned { .. } => {
            let copies =
                "only a raw disk without --gpt has copies of bodies on the grid of larger blocks";
            Fail::of(out, format_args!("{error}: {copies}"))
        }
        error => Fail::of(out, error),
    }
}

/// The tree, its bodies copied to the grid of the blocks if it is to be a disk of larger ones.
pub(crate) fn fitted<'t>(
    out: &Path,
    tree: &'t Tree,
    options: &layout::Options,
) -> Done<Cow<'t, Tree>> {
    layout::fitted(tree, options).map_err(|error| Fail::of(out, error))
}

/// Writes a bootstrap, or a disk, whose sources are looked for only then.
pub(crate) fn write(
    path: &Path,
    tree: &Tree,
    options: &layout::Options,
    out: &Output,
    sources: impl FnOnce() -> Done<Vec<NamedFile>>,
) -> Done<Report> {
    let tree = &*fitted(path, tree, options)?;
    let layout = plan(path, tree, options)?;
    if options.artifact == Artifact::Bootstrap {
        tarfs_io::write_metadata(&layout, &out.file()?)?;
        let bytes = layout.metadata_bytes();
        return Ok(Report::new(path, bytes, &layout, bytes));
    }
    let copied = disk(&layout, &sources()?, &out.file()?)?;
    let bytes = layout.disk_bytes();
    let mut report = Report::new(path, bytes, &layout, bytes);
    report.made.copied = Some(copied.into());
    Ok(report)
}

/// Writes a disk; answers how the bytes of the sources got into it.
fn disk(layout: &Layout<'_>, sources: &[NamedFile], out: &NamedFile) -> Done<Copied> {
    let plan = image::disk(layout);
    let progress = Progress::new("writing", Some(plan.bytes));
    Ok(tarfs_io::write_disk(&plan, layout, sources, out, &mut progress.observer())?)
}
