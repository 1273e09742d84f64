//! `tarfs verity`.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use erofs_tarfs::io::verity::{self, Options};
use erofs_tarfs::io::{Map, NamedFile};
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::{Fault, Geometry, Placement, Sealed};

use crate::args::{Verity, VerityFormat, VerityVerify};
use crate::fail::{Done, Fail};
use crate::input::Kind;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::{geometry, input, load, report, unmoved};

pub(crate) fn run(args: &Verity) -> Done {
    match args {
        Verity::Format(args) => format(args),
        Verity::Verify(args) => verify(args),
    }
}

/// Seals data; errors name its file.
pub(crate) fn seal(
    data: &NamedFile,
    hashes: &NamedFile,
    geometry: Geometry,
    options: &Options,
    map: bool,
) -> Done<Sealed> {
    let _progress = Progress::new("hashing", None);
    let sealed = if map {
        let map = mapped(data, geometry.data_bytes())?;
        verity::seal(&map, hashes.file(), geometry, options)
    } else {
        verity::seal(data.file(), hashes.file(), geometry, options)
    };
    sealed.map_err(|error| Fail::of(hashes.path(), format_args!("cannot seal it: {error}")))
}

/// Maps data into memory.
#[allow(unsafe_code, reason = "--map is the user's word")]
fn mapped(data: &NamedFile, bytes: u64) -> Done<Map> {
    // SAFETY: nothing here writes to the data while it is mapped, and that nobody else does is what
    // the help of --map asks for.
    let map = unsafe { Map::new(data.file(), bytes) };
    map.map_err(|error| Fail::of(data.path(), format_args!("cannot map it: {error}")))
}

fn format(args: &VerityFormat) -> Done {
    let params = geometry::params(&args.params)?;
    let options = geometry::threads(&args.params);
    let path = &args.data;
    let failed = |error: io::Error| Fail::of(path, error);
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Fail::of(path, "is not a regular file"));
    }
    let data = NamedFile::new(path, file);
    let before = data.bytes()?;
    let data_bytes = before + params.data_padding(before);
    let place = if args.hash.is_some() { Placement::OwnFile } else { Placement::BehindData };
    let geometry =
        Geometry::new(&params, data_bytes, place).map_err(|error| Fail::of(path, error))?;
    let sealed = match &args.hash {
        Some(hash) => {
            output::spare_inputs(hash, &[path])?;
            let out = Output::new(hash)?;
            let undo = Undo::grow(&data, before, data_bytes)?;
            unmoved::watch(path, data.file()).map_err(failed)?;
            let end = geometry.end();
            let sealed = seal(&data, &out.file()?, geometry, &options, args.map)?;
            out.file()?.set_bytes(end)?;
            out.finish()?;
            undo.keep();
            sealed
        }
        None => {
            let undo = Undo::grow(&data, before, geometry.end())?;
            let sealed = seal(&data, &data, geometry, &options, args.map)?;
            undo.keep();
            sealed
        }
    };
    let made = report::Verity::new(&sealed, path, args.hash.as_ref().unwrap_or(path));
    let mut out = io::stdout().lock();
    match args.json {
        true => report::line(&mut out, &made),
        false => made.write(&mut out).map_err(Fail::stdout),
    }
}

/// A file that has its old length again when nothing came of it.
struct Undo<'a>(Option<(&'a NamedFile, u64)>);

impl<'a> Undo<'a> {
    fn grow(file: &'a NamedFile, before: u64, after: u64) -> Done<Self> {
        let undo = Self(Some((file, before)));
        if after != before {
            file.set_bytes(after)?;
        }
        Ok(undo)
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Some((file, before)) = self.0 {
            let _ = file.set_bytes(before);
        }
    }
}

fn verify(args: &VerityVerify) -> Done {
    let params = geometry::params(&args.params)?;
    let data = unmoved::open(&args.data)?;
    let data_bytes = match args.data_blocks {
        Some(blocks) => blocks
            .checked_mul(params.data_block().bytes().into())
            .ok_or_else(|| Fail::Usage("--data-blocks: too many".to_owned()))?,
        None if args.hash.is_some() => data.bytes()?,
        None => {
            let end = filesystem(&data)?;
            end + params.data_padding(end)
        }
    };
    let place = match (args.hash_offset, &args.hash) {
        (Some(offset), None) => Placement::At(offset),
        (None, None) => Placement::BehindData,
        (None | Some(0), Some(_)) => Placement::OwnFile,
        (Some(_), Some(_)) => {
            return Err(Fail::Usage("--hash-offset is for a tree behind the data".to_owned()));
        }
    };
    let geometry =
        Geometry::new(&params, data_bytes, place).map_err(|error| Fail::of(&args.data, error))?;
    let sealed = Sealed::new(geometry, args.root);
    let options = geometry::threads(&args.params);
    let hashes = unmoved::open(args.hash.as_ref().unwrap_or(&args.data))?;
    check(&data, &hashes, &sealed, &options)?;
    unmoved::check()?;
    println(format_args!("{}: verified, {data_bytes} bytes", args.data.display()))
}

/// How many bytes the filesystem in a sealed disk has.
pub(crate) fn filesystem(data: &NamedFile) -> Done<u64> {
    let text =
        "where the tree lies behind data other than EROFS, --data-blocks says how much is data";
    let unknown = || Fail::Usage(text.to_owned());
    if input::open(data.path())?.1 != Kind::Erofs {
        return Err(unknown());
    }
    let bytes = load::metadata(data)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(data.path(), error))?;
    Ok(image.end(bytes.len() as u64))
}

/// Verifies all; errors name the file.
fn check(data: &NamedFile, hashes: &NamedFile, sealed: &Sealed, options: &Options) -> Done {
    let _progress = Progress::new("verifying", None);
    verity::verify(data.file(), hashes.file(), sealed, options).map_err(|fault| match fault {
        Fault::Verity(error) => Fail::of(data.path(), error),
        Fault::Caller(error) => {
            let name: &Path =
                if sealed.geometry().same_file() { data.path() } else { hashes.path() };
            Fail::of(name, error)
        }
    })
}

fn println(text: std::fmt::Arguments<'_>) -> Done {
    use io::Write;
    writeln!(io::stdout().lock(), "{text}").map_err(Fail::stdout)
}
