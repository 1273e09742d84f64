//! Where the tar of `tarfs layer` comes from.

use std::io::Read;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};

use super::arguments::Layer;
use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{self, Progress, Stage};
use crate::files::kind::Kind;
use crate::files::{open, stream};
use crate::layers::from_tar;
use crate::layers::loaded::Loaded;

/// Whether the tar is read from standard input.
pub(crate) fn is_stdin(input: &Path) -> bool {
    input == Path::new("-")
}

/// Where the uncompressed tar is, or comes from.
pub(crate) enum Source {
    /// A file that can be a device.
    Tar(NamedFile),
    /// A stream of its bytes, and what errors call it.
    Stream(PathBuf, Box<dyn Read>),
}

/// Opens the tar, and refuses what is none. `in_place` says that a stream is written and hashed as it comes.
pub(crate) fn source(args: &Layer, in_place: bool) -> Done<Source> {
    let again = u64::from(args.disk) + u64::from(args.verity);
    let of_stream = if in_place { 0 } else { again };
    if is_stdin(&args.input) {
        progress::passes(of_stream);
        let name = PathBuf::from("standard input");
        let failed = |error| Fail::of(&name, error);
        let reader = Progress::new(Stage::Reading, None).wrap(stream::stdin().map_err(failed)?);
        let (reader, kind) = stream::with_kind(reader).map_err(failed)?;
        refuse_image(&name, kind)?;
        let reader = stream::uncompressed(kind, reader, args.rules.limits(), 1).map_err(failed)?;
        return Ok(Source::Stream(name, reader));
    }
    let (file, kind) = open::input(&args.input)?;
    refuse_image(&args.input, kind)?;
    if !kind.is_compressed() {
        // One that is hashed too is streamed.
        progress::passes(if args.verity { of_stream } else { again });
        return Ok(Source::Tar(file));
    }
    progress::passes(of_stream);
    let reader = Progress::new(Stage::Unpacking, Some(file.bytes()?)).wrap(stream::reader(&file)?);
    let reader = stream::uncompressed(kind, reader, args.rules.limits(), 1)
        .map_err(|error| Fail::of(&args.input, error))?;
    Ok(Source::Stream(args.input.clone(), reader))
}

/// The layer of a tar that is a file: only its headers are read, if its tag is known.
pub(crate) fn indexed(tar: NamedFile, args: &Layer) -> Done<Loaded> {
    let mut rules = args.rules.options(args.strict);
    if let Some(tag) = &args.blob_id {
        rules.tag = tag.as_bytes().to_vec();
        return from_tar::indexed(tar, rules);
    }
    let progress = Progress::new(Stage::Reading, Some(tar.bytes()?));
    let options = from_tar::ingest_options(rules, None);
    let reader = stream::reader(&tar)?;
    let done = tarfs_io::ingest(&args.input, reader, options, None, &mut progress.observer())?;
    Ok(from_tar::ingested(tar, done).0)
}

fn refuse_image(input: &Path, kind: Kind) -> Done {
    match kind {
        Kind::Erofs => {
            Err(Fail::of(input, "is an EROFS image, not a tar: merge and export take it"))
        }
        _ => Ok(()),
    }
}
