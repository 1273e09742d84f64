//! `tarfs layer`.

mod arguments;
mod one_pass;
mod source;

use std::path::PathBuf;
use std::slice;

use erofs_tarfs::io as tarfs_io;
use erofs_tarfs::layout::{Artifact, DiskOrder};
use erofs_tarfs::units::BlockSize;

pub(crate) use self::arguments::Layer;
use self::one_pass::Wanted;
use self::source::Source;
use crate::cli::fail::{Done, Fail};
use crate::cli::marks::Mark;
use crate::cli::progress::{Progress, Stage};
use crate::cli::{hash_tree_options, image_options, quote};
use crate::files::output::{self, Output};
use crate::files::{argument_files, digest, place, stream};
use crate::hash_tree::sidecar;
use crate::layers::changed::Changer;
use crate::layers::images::mistaken;
use crate::layers::spool::Spool;
use crate::layers::{ending, from_tar, warnings};
use crate::make::{image, sealed_image};
use crate::show::marked::{self, Marked};
use crate::show::report::Report;

pub(crate) fn run(args: &Layer) -> Done {
    args.durability.set();
    let options = image_options::options(&args.layout, args.disk, args.rules.limits())?;
    let changer = Changer::new(&args.changing)?;
    if !args.verity && args.sealing.is_set() {
        return Err(Fail::Usage("options of a hash tree want --verity".to_owned()));
    }
    let params = args
        .verity
        .then(|| hash_tree_options::mountable(&args.sealing.tree, options.block_size))
        .transpose()?;
    args.marks.check(params.as_ref())?;
    if args.marks.has(Mark::ErofsAnnotations) && !args.disk {
        let why = "a bootstrap is no layer alone, but with its tar: --disk, or `tarfs oci`";
        return Err(Fail::Usage(format!("--print erofs-annotations: {why}")));
    }
    if args.blob_id.as_ref().is_some_and(|id| id.len() > 64 || id.is_empty()) {
        return Err(Fail::Usage("--blob-id: 1 to 64 bytes".to_owned()));
    }
    argument_files::protect(&[&args.input]);
    let output = place::named(&destination(args)?)?;
    let out = Output::new(&output)?;
    let sidecar = match &params {
        Some(params) => sidecar::wanted(&args.sealing, params, &output)?,
        None => None,
    };
    // Copies for larger blocks are made when all of the tar is there.
    let in_place = options.artifact == Artifact::Disk(DiskOrder::DataFirst)
        && options.block_size == BlockSize::B512;
    let hashing = hash_tree_options::threads(&args.sealing.tree.hashing);
    let sealed = |report| match &params {
        Some(params) => sealed_image::seal(report, params, &hashing, &out),
        None => Ok(report),
    };
    let mut outputs = Vec::new();
    let mut report = match source::source(args, in_place)? {
        Source::Tar(tar) if in_place && params.is_some() => {
            let progress = Progress::new(Stage::Reading, Some(tar.bytes()?));
            let mut reader = progress.wrap(stream::reader(&tar)?);
            let to = Wanted { args, options: &options, params: params.as_ref(), changer: &changer };
            one_pass::one_pass(tar.path(), &mut reader, &to, &out)?
        }
        Source::Stream(name, mut reader) if in_place => {
            let to = Wanted { args, options: &options, params: params.as_ref(), changer: &changer };
            one_pass::one_pass(&name, &mut *reader, &to, &out)?
        }
        Source::Stream(name, mut reader) if args.index_only => {
            let tag = args.blob_id.as_deref();
            let ingest = from_tar::ingest_options(args.rules.options(args.strict), tag);
            let ingest = ingest.diff_id(tag.is_none());
            let done = tarfs_io::ingest(&name, &mut *reader, ingest, None, &mut |_| {})?;
            let noted = warnings::of(&name, &done.layer, args.strict)?;
            mistaken::warn(&args.input, &done.layer.tree);
            let none = || Err(Fail::of(&name, "is not kept"));
            let tree = changer.tree(&name, done.layer.tree)?;
            let report = image::write(&output, &tree, &options, &out, none)?;
            Report { noted, ..report }
        }
        Source::Tar(tar) => {
            let mut layer = source::indexed(tar, args)?;
            warnings::all(slice::from_ref(&layer), args.strict)?;
            mistaken::warn(&args.input, &layer.tree);
            if !args.disk {
                ending::as_device(&layer.name, &layer.tree, layer.end.as_ref(), args.strict)?;
            }
            changer.each(slice::from_mut(&mut layer))?;
            let report = image::write(&output, &layer.tree, &options, &out, || layer.sources())?;
            let report = Report { noted: layer.noted, ..report };
            sealed(report)?
        }
        Source::Stream(name, mut reader) => {
            let mut spool = match args.disk {
                true => Spool::temporary(&output),
                false => Spool::kept(&output),
            };
            let rules = args.rules.options(args.strict);
            let (mut layer, _) = spool.take(&name, &mut *reader, rules, args.blob_id.as_deref())?;
            warnings::all(slice::from_ref(&layer), args.strict)?;
            mistaken::warn(&args.input, &layer.tree);
            if !args.disk {
                ending::as_device(&layer.name, &layer.tree, layer.end.as_ref(), args.strict)?;
            }
            changer.each(slice::from_mut(&mut layer))?;
            let report = image::write(&output, &layer.tree, &options, &out, || layer.sources())?;
            let report = Report { noted: layer.noted, ..report };
            let report = sealed(report)?;
            outputs = spool.outputs();
            report
        }
    };
    let sealed = report.verity.as_ref().map(|verity| &verity.sealed);
    let sha256 = || digest::sha256(&out.file()?, &mut |_| {});
    report.marked = Marked::new(&args.marks, marked::LAYER, sealed, sha256)?;
    outputs.push(out);
    if let (Some(sidecar), Some(verity)) = (&sidecar, &mut report.verity) {
        sidecar::write(sidecar, &verity.sealed)?;
        verity.sidecar = sidecar::name(&args.sealing, &output);
    }
    output::finish_in_order(sidecar.into_iter().collect(), outputs)?;
    report.print(args.json)
}

/// Where the output goes.
fn destination(args: &Layer) -> Done<PathBuf> {
    match &args.output {
        Some(output) => Ok(output.clone()),
        None if source::is_stdin(&args.input) => {
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
