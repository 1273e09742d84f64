//! LAYER arguments become layers, whatever kind each is of.

use std::io::{self, Read};
use std::mem;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::limits::{Limit, Limits};

use crate::cli::fail::{self, Done, Fail};
use crate::cli::progress::{self, Progress, Stage};
use crate::cli::reading_options::ReadingOptions;
use crate::files::kind::Kind;
use crate::files::open;
use crate::files::stream::{self, STDIN};
use crate::layers::images::reference::Reference;
use crate::layers::images::{self, mistaken};
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;
use crate::layers::{from_image, from_images, from_tar};

/// Loads what an argument names: a layer, or all layers of an image.
pub(crate) fn one(arg: &Path, how: &ReadingOptions<'_>, spool: &mut Spool) -> Done<Vec<Loaded>> {
    of_opened(arg, opened(arg)?, how, spool)
}

/// The file that an argument names, if it names one.
fn opened(arg: &Path) -> Done<Option<(NamedFile, Kind)>> {
    let is_file = arg != Path::new(STDIN) && Reference::parse(arg).is_none();
    is_file.then(|| open::input(arg)).transpose()
}

/// Loads what an argument names, whose file is open if it is one.
fn of_opened(
    arg: &Path,
    opened: Option<(NamedFile, Kind)>,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    let Some((file, kind)) = opened else {
        return match Reference::parse(arg) {
            Some(image) => images::load(&image, how, spool),
            None => Ok(vec![stdin(how, spool)?]),
        };
    };
    let loaded = match kind {
        Kind::Erofs => return Ok(vec![from_image::read(arg, file, how, true)?]),
        // Whoever opened it chose a partition.
        Kind::Tar | Kind::Gpt => {
            // Its tag is its SHA-256, so all of it is read.
            let progress = Progress::new(Stage::Reading, Some(file.bytes()?));
            let options = from_tar::reading(how, None);
            let reader = stream::reader(&file)?;
            let observer = &mut progress.observer();
            let done = tarfs_io::ingest(arg, reader, options, None, observer)?;
            from_tar::ingested(file, done).0
        }
        Kind::Gzip | Kind::Zstd | Kind::Xz | Kind::Bzip2 => {
            let progress = Progress::new(Stage::Unpacking, Some(file.bytes()?));
            let reader = progress.reader(stream::reader(&file)?);
            let reader = stream::uncompressed(kind, reader, how.limits, 1);
            let mut reader = reader.map_err(|error| Fail::of(arg, error))?;
            spool.take_with(arg, &mut *reader, from_tar::reading(how, None), None)?.0
        }
    };
    mistaken::warn(arg, &loaded.tree);
    Ok(vec![loaded])
}

/// A layer on standard input: it goes to a file, since devices are files.
fn stdin(how: &ReadingOptions<'_>, spool: &mut Spool) -> Done<Loaded> {
    let name = Path::new("standard input");
    let failed = |error| Fail::of(name, error);
    let progress = Progress::new(Stage::Reading, None);
    let reader = progress.reader(stream::stdin().map_err(failed)?);
    let (reader, kind) = stream::with_kind(reader).map_err(failed)?;
    if kind == Kind::Erofs {
        let file = tarfs_io::Output::scratch(&spool.dir(), name)?;
        copy(name, reader, &file, how.limits)?;
        return from_image::read(name, file, how, true);
    }
    let mut reader = stream::uncompressed(kind, reader, how.limits, 1).map_err(failed)?;
    let loaded = spool.take_with(name, &mut *reader, from_tar::reading(how, None), None)?.0;
    mistaken::warn(Path::new(STDIN), &loaded.tree);
    Ok(loaded)
}

/// Copies an image of unknown length, which may be as long as a tar.
fn copy(name: &Path, reader: impl Read, file: &NamedFile, limits: Limits) -> Done {
    let most = limits.get(Limit::Bytes);
    let mut reader = reader.take(most.saturating_add(1));
    let bytes = io::copy(&mut reader, &mut file.file()).map_err(|error| Fail::of(name, error))?;
    limits.check(Limit::Bytes, bytes).map_err(|over| {
        let (limit, option) = (over.limit.name(), fail::limit(&over));
        let why =
            format!("{bytes} bytes of the image are over the limit {limit} of {most}{option}");
        Fail::of(name, why)
    })
}

/// Loads all that the arguments name, lowest first.
pub(crate) fn all(
    args: &[PathBuf],
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    let mut layers = Vec::new();
    each(args, how, spool, |layer| {
        layers.push(layer);
        Ok(())
    })?;
    Ok(layers)
}

/// The same, handed to `take` one after the other. Images that are one behind the other are read together.
pub(crate) fn each(
    args: &[PathBuf],
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
    mut take: impl FnMut(Loaded) -> Done,
) -> Done {
    refuse_two_of_stdin(args)?;
    progress::expect(args.iter().map(|arg| length(arg)).fold(0, u64::saturating_add));
    let mut images = Vec::new();
    for arg in args {
        let opened = match opened(arg) {
            Ok(opened) => opened,
            // What is wrong with those before it is told of first.
            Err(fail) => return from_images::each(images, how, take).and(Err(fail)),
        };
        match opened {
            Some((file, Kind::Erofs)) => images.push((arg.clone(), file)),
            opened => {
                from_images::each(mem::take(&mut images), how, &mut take)?;
                of_opened(arg, opened, how, spool)?.into_iter().try_for_each(&mut take)?;
            }
        }
    }
    from_images::each(images, how, take)
}

/// How long a file is that an argument names, for what is said ahead of all that there is to do. What images have
/// in them is not known yet.
fn length(arg: &Path) -> u64 {
    let named = if Reference::parse(arg).is_some() { None } else { arg.metadata().ok() };
    named.filter(|found| found.is_file()).map_or(0, |found| found.len())
}

/// Refuses arguments of which two are read from standard input.
pub(crate) fn refuse_two_of_stdin(args: &[PathBuf]) -> Done {
    match args.iter().filter(|arg| names_stdin(arg)).count() {
        0 | 1 => Ok(()),
        _ => Err(Fail::Usage("standard input can be one layer only".to_owned())),
    }
}

/// Whether an argument is read from standard input.
fn names_stdin(arg: &Path) -> bool {
    let stdin = Path::new(STDIN);
    arg == stdin || Reference::parse(arg).is_some_and(|image| image.path == stdin)
}
