//! `tarfs layer`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::slice;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::layout::{self, Artifact, Placement};
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{self, Geometry, Params};

use crate::args::Layer;
use crate::fail::{Done, Fail};
use crate::input::{self, Kind};
use crate::load::Loaded;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::report::{self, Report};
use crate::spool::{self, Spool};
use crate::{ending, geometry, images, load, merge, notes, place, quote, spare};

pub(crate) fn run(args: &Layer) -> Done {
    let options = geometry::options(&args.layout, args.disk)?;
    if !args.verity && args.sealing.is_set() {
        return Err(Fail::Usage("options of a hash tree want --verity".to_owned()));
    }
    let params =
        args.verity.then(|| geometry::mountable(&args.sealing, options.block_size)).transpose()?;
    if args.blob_id.as_ref().is_some_and(|id| id.len() > 64 || id.is_empty()) {
        return Err(Fail::Usage("--blob-id: 1 to 64 bytes".to_owned()));
    }
    spare::arguments(&[&args.input]);
    let output = place::named(&destination(args)?)?;
    let out = Output::new(&output)?;
    // Copies for larger blocks are made when all of the tar is there.
    let in_place = options.artifact == Artifact::Disk(Placement::DataFirst)
        && options.block_size == BlockSize::B512;
    let mut outputs = Vec::new();
    let report = match source(args)? {
        Source::Tar(tar) if in_place && params.is_some() => {
            let progress = Progress::new("reading", Some(tar.bytes()?));
            let mut reader = progress.wrap(input::reader(&tar)?);
            one_pass(tar.path(), &mut reader, args, &options, params.as_ref(), &out)?
        }
        Source::Stream(name, mut reader) if in_place => {
            one_pass(&name, &mut *reader, args, &options, params.as_ref(), &out)?
        }
        Source::Stream(name, mut reader) if args.index_only => {
            let tag = args.blob_id.as_deref();
            let mut ingest = spool::ingest_options(args.rules.options(args.strict), tag);
            ingest.diff_id = tag.is_none();
            let done = tarfs_io::ingest(&name, &mut *reader, ingest, None, &mut |_| {})?;
            let noted = notes::of(&name, &done.layer, args.strict)?;
            images::warn(&args.input, &done.layer.tree);
            let none = || Err(Fail::of(&name, "is not kept"));
            let report = merge::write(&output, &done.layer.tree, &options, &out, none)?;
            Report { noted, ..report }
        }
        Source::Tar(tar) => {
            let layer = indexed(tar, args)?;
            notes::all(slice::from_ref(&layer), args.strict)?;
            images::warn(&args.input, &layer.tree);
            if !args.disk {
                ending::as_device(&layer.name, &layer.tree, layer.end.as_ref(), args.strict)?;
            }
            let report = merge::write(&output, &layer.tree, &options, &out, || layer.sources())?;
            let report = Report { noted: layer.noted, ..report };
            sealed(report, args, params.as_ref(), &out)?
        }
        Source::Stream(name, mut reader) => {
            let mut spool = match args.disk {
                true => Spool::temporary(&output),
                false => Spool::kept(&output),
            };
            let rules = args.rules.options(args.strict);
            let (layer, _) = spool.take(&name, &mut *reader, rules, args.blob_id.as_deref())?;
            notes::all(slice::from_ref(&layer), args.strict)?;
            images::warn(&args.input, &layer.tree);
            if !args.disk {
                ending::as_device(&layer.name, &layer.tree, layer.end.as_ref(), args.strict)?;
            }
            let report = merge::write(&output, &layer.tree, &options, &out, || layer.sources())?;
            let report = Report { noted: layer.noted, ..report };
            let report = sealed(report, args, params.as_ref(), &out)?;
            outputs = spool.outputs();
            report
        }
    };
    outputs.push(out);
    output::finish(outputs)?;
    report.print(args.json)
}

/// Seals a disk that is written, if that is wanted.
fn sealed(mut report: Report, args: &Layer, params: Option<&Params>, out: &Output) -> Done<Report> {
    let Some(params) = params else { return Ok(report) };
    let (path, file) = (out.path(), out.file()?);
    let bytes = report.size + params.data_padding(report.size);
    let geometry = Geometry::new(params, bytes, verity::Placement::BehindData);
    let geometry = geometry.map_err(|error| Fail::of(path, error))?;
    report.size = geometry.end();
    file.set_bytes(report.size)?;
    let hashing = geometry::threads(&args.sealing.hashing);
    let sealed = crate::verity::seal(&file, &file, geometry, &hashing, false)?;
    report.verity = Some(report::Verity::new(&sealed, path, path));
    Ok(report)
}

/// Where the output goes.
fn destination(args: &Layer) -> Done<PathBuf> {
    match &args.output {
        Some(output) => Ok(output.clone()),
        None if is_stdin(&args.input) => {
            Err(Fail::Usage("standard input has no name to name the output by: -o OUT".to_owned()))
        }
        None if !args.input.is_file() && args.input.exists() => {
            let why = "is no regular file to put the output beside: -o OUT";
            Err(Fail::Usage(format!("{}: {why}", quote::name(&args.input))))
        }
        None => {
            let mut name = args.input.clone().into_os_string();
            name.push(if args.disk { ".disk" } else { ".erofs" });
            Ok(name.into())
        }
    }
}

fn is_stdin(input: &Path) -> bool {
    input == Path::new("-")
}

/// Where the uncompressed tar is, or comes from.
enum Source {
    /// A file that can be a device.
    Tar(NamedFile),
    /// A stream of its bytes, and what errors call it.
    Stream(PathBuf, Box<dyn Read>),
}

fn source(args: &Layer) -> Done<Source> {
    if is_stdin(&args.input) {
        let name = PathBuf::from("standard input");
        let failed = |error| Fail::of(&name, error);
        let reader = Progress::new("reading", None).wrap(input::stdin().map_err(failed)?);
        let (reader, kind) = input::stream(reader).map_err(failed)?;
        refuse_image(&name, kind)?;
        let reader = input::uncompressed(kind, reader).map_err(failed)?;
        return Ok(Source::Stream(name, reader));
    }
    let (file, kind) = input::open(&args.input)?;
    refuse_image(&args.input, kind)?;
    if !kind.is_compressed() {
        return Ok(Source::Tar(file));
    }
    let reader = Progress::new("reading", Some(file.bytes()?)).wrap(input::reader(&file)?);
    let reader = input::uncompressed(kind, reader).map_err(|error| Fail::of(&args.input, error))?;
    Ok(Source::Stream(args.input.clone(), reader))
}

/// The layer of a tar that is a file: only its headers are read, if its tag is known.
fn indexed(tar: NamedFile, args: &Layer) -> Done<Loaded> {
    let mut rules = args.rules.options(args.strict);
    if let Some(tag) = &args.blob_id {
        rules.tag = tag.as_bytes().to_vec();
        return load::layer(tar, rules);
    }
    let progress = Progress::new("reading", Some(tar.bytes()?));
    let options = spool::ingest_options(rules, None);
    let reader = input::reader(&tar)?;
    let done = tarfs_io::ingest(&args.input, reader, options, None, &mut progress.observer())?;
    Ok(spool::loaded(tar, done).0)
}

/// A disk with its data first, in one pass: the tar is written where it belongs in it, and hashed
/// as it goes by for all that it is hashed for.
fn one_pass(
    name: &Path,
    reader: &mut dyn Read,
    args: &Layer,
    options: &layout::Options,
    params: Option<&Params>,
    out: &Output,
) -> Done<Report> {
    let tag = args.blob_id.as_deref();
    let mut ingest = spool::ingest_options(args.rules.options(args.strict), tag);
    ingest.diff_id = tag.is_none();
    ingest.leaves = params.cloned();
    let file = out.file()?;
    let offset = layout::data_first_offset(1, options.block_size);
    let done = tarfs_io::ingest(name, reader, ingest, Some((&file, offset)), &mut |_| {})?;
    let noted = notes::of(name, &done.layer, args.strict)?;
    let tree = done.layer.tree;
    images::warn(&args.input, &tree);
    if tree.devices().is_empty() {
        // No file has any data: the disk does without the tar.
        file.set_bytes(0)?;
    }
    let layout = merge::plan(out.path(), &tree, options)?;
    tarfs_io::write_metadata(&layout, &file)?;
    let bytes = layout.disk_bytes();
    let mut report = Report::new(out.path(), bytes, &layout, bytes);
    report.noted = noted;
    if let Some(params) = params {
        let leaves = vec![done.leaves.as_ref(); layout.devices().len()];
        let sealed = tarfs_io::seal_in_place(&layout, &leaves, params, &file)?;
        report.size = sealed.geometry().end();
        report.verity = Some(report::Verity::new(&sealed, out.path(), out.path()));
    }
    Ok(report)
}

fn refuse_image(input: &Path, kind: Kind) -> Done {
    match kind {
        Kind::Erofs => Err(Fail::of(input, "is an EROFS image, not a tar")),
        _ => Ok(()),
    }
}
