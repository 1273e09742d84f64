//! `tarfs layer`.

use std::io;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;

use crate::args::Layer;
use crate::fail::{Done, Fail};
use crate::input::{self, Kind};
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::spool::{self, Spool};
use crate::{geometry, load, merge};

pub(crate) fn run(args: &Layer) -> Done {
    let options = geometry::options(&args.layout, args.disk)?;
    if args.blob_id.as_ref().is_some_and(|id| id.len() > 64 || id.is_empty()) {
        return Err(Fail::Usage("--blob-id: 1 to 64 bytes".to_owned()));
    }
    let output = output(args)?;
    output::spare_inputs(&output, &[&args.input])?;
    let out = Output::new(&output)?;
    let dir = output::directory(&output).to_owned();
    let mut spool = match args.disk {
        true => Spool::Temporary(dir),
        false => Spool::Kept(dir, Vec::new()),
    };
    let (tar, tag) = tar(args, &mut spool)?;
    let layer = load::layer(tar, &tag, false)?;
    let report = merge::write(&output, &layer.tree, &options, &out, || layer.sources())?;
    spool.finish()?;
    out.finish()?;
    report.print(args.json)
}

/// Where the output goes.
fn output(args: &Layer) -> Done<PathBuf> {
    match &args.output {
        Some(output) => Ok(output.clone()),
        None if is_stdin(&args.input) => {
            Err(Fail::Usage("standard input has no name to name the output by: -o OUT".to_owned()))
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

/// The uncompressed tar as a file, and the tag of the device that it is.
fn tar(args: &Layer, spool: &mut Spool) -> Done<(NamedFile, String)> {
    let id = args.blob_id.as_deref();
    let tagged = |(tar, digest): (NamedFile, String)| (tar, id.map_or(digest, ToOwned::to_owned));
    if is_stdin(&args.input) {
        let name = Path::new("standard input");
        let failed = |error| Fail::of(name, error);
        let progress = Progress::new("reading", None);
        let (reader, kind) = input::stream(progress.reader(io::stdin().lock())).map_err(failed)?;
        refuse_image(name, kind)?;
        let mut reader = input::uncompressed(kind, reader).map_err(failed)?;
        return spool.take(name, &mut *reader, id).map(tagged);
    }
    let (file, kind) = input::open(&args.input)?;
    refuse_image(&args.input, kind)?;
    let progress = Progress::new("reading", Some(file.bytes()?));
    if kind.is_compressed() {
        let reader = progress.reader(input::reader(&file)?);
        let mut reader =
            input::uncompressed(kind, reader).map_err(|error| Fail::of(&args.input, error))?;
        return spool.take(&args.input, &mut *reader, id).map(tagged);
    }
    let tag = match id {
        Some(id) => id.to_owned(),
        None => spool::digest(&file, &mut progress.observer())?,
    };
    Ok((file, tag))
}

fn refuse_image(input: &Path, kind: Kind) -> Done {
    match kind {
        Kind::Erofs => Err(Fail::of(input, "is an EROFS image, not a tar")),
        _ => Ok(()),
    }
}
