//! `tarfs tar`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args as Group;
use serde::Serialize;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::cli::reading_options::PartsOf;
use crate::files::durable::Durability;
use crate::files::output::Output;
use crate::layers::as_mounted;
use crate::restore::tar;
use crate::restore::wanted::Wanted;
use crate::show::print;

/// Bytes that are written at a time.
const BUFFER: usize = 256 << 10;

#[derive(Debug, Group)]
#[command(after_help = "\
The tar has pax headers: times to the nanosecond, all attributes, long names, holes as GNU tar has them. The same
image gives the same bytes. Of a layer alone, whiteouts are what they are in layers. A tar that an error cuts short has
no end marker, and the exit code is 1.

Examples:
  tarfs tar image.disk | tar -x --xattrs --xattrs-include='*' -C rootfs
  tarfs tar image.disk etc | tar -t
  tarfs tar oci:DIR:latest -o squashed.tar               # all layers as one")]
pub(crate) struct Tar {
    /// The file to write; standard output, while it is made, if not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one JSON object about the file.
    #[arg(long, requires = "output")]
    json: bool,
    #[command(flatten)]
    durability: Durability,
    #[command(flatten)]
    of: PartsOf,
}

pub(crate) fn run(args: &Tar) -> Done {
    args.durability.set();
    if args.output.is_none() && io::stdout().is_terminal() {
        let why = "a tar is not written to a terminal: -o FILE, or a pipe, takes it";
        return Err(Fail::Usage(why.to_owned()));
    }
    let image = as_mounted::open(&args.of.image, &args.of.at.how(false))?;
    let wanted = Wanted::paths(&image.tree, &args.of.image, &args.of.paths)?;
    let sources = image.sources()?;
    let of = (&image.tree, &sources[..]);
    let Some(path) = &args.output else {
        let out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
        let (_, mut out) = tar::write(of, &wanted, &args.of.image, out)?;
        return out.flush().map_err(Fail::stdout);
    };
    let output = Output::new(path)?;
    let file = output.file()?;
    let out = BufWriter::with_capacity(BUFFER, file.file());
    let (entries, mut out) = tar::write(of, &wanted, &args.of.image, out)?;
    out.flush().map_err(|error| Fail::of(path, error))?;
    drop(out);
    let bytes = file.bytes()?;
    output.finish()?;
    let written = Written { path: path.display().to_string(), entries, bytes };
    print::made(print::stream(&written.path), &written, args.json, |told| {
        writeln!(told, "{}: {entries} entries", quote::name(path))
    })
}

/// A tar that was written.
#[derive(Debug, Serialize)]
struct Written {
    path: String,
    entries: u64,
    bytes: u64,
}
