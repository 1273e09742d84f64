//! `tarfs extract`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use clap::Args as Group;
use rustix::fs::Mode;
use rustix::process::{geteuid, umask};

use crate::cli::fail::{Done, Fail};
use crate::cli::loudness;
use crate::cli::quote::Names;
use crate::cli::reading_options::PartsOf;
use crate::cli::warn;
use crate::files::durable::{self, Durability};
use crate::files::unchanged;
use crate::layers::as_mounted;
use crate::restore::extract;
use crate::restore::wanted::Wanted;
use crate::show::extracted_report::ExtractedReport;
use crate::show::print;

#[derive(Debug, Group)]
#[command(after_help = "\
What a mount of the image shows is put into DIR: files with holes, links, devices, times to the nanosecond,
modes, owners and extended attributes. What is there stays, as with tar: files of the same name are replaced,
directories are not emptied. With a PATH, DIR itself keeps its mode, owner and time; without, it gets those of
the root. No link is followed, neither one of the image nor one in DIR, so that nothing is written outside of
it. Without root, or with --no-same-owner, files are yours, and without setuid bits and capabilities; what could
not be restored is counted, with a warning of owners and attributes, and exit code 1 where devices are missing.
An error may leave a part of the files.

Examples:
  tarfs extract image.disk -C rootfs
  tarfs extract image.disk etc usr/bin -C rootfs         # rootfs/etc and rootfs/usr/bin, with all below
  tarfs extract oci:DIR:latest -C rootfs                 # all layers merged")]
pub(crate) struct Extract {
    /// Where to: a directory, which is made if it is not there.
    #[arg(short = 'C', long = "directory", value_name = "DIR")]
    directory: PathBuf,
    /// Files are yours and not of their owners, also for root.
    #[arg(long)]
    no_same_owner: bool,
    /// Say what was done as one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    durability: Durability,
    #[command(flatten)]
    of: PartsOf,
}

pub(crate) fn run(args: &Extract) -> Done {
    args.durability.set();
    let image = as_mounted::open(&args.of.image, &args.of.at.how(false))?;
    let wanted = Wanted::paths(&image.tree, &args.of.image, &args.of.paths)?;
    let sources = image.sources()?;
    unchanged::check()?;
    let place = &args.directory;
    std::fs::create_dir_all(place).map_err(|error| {
        let why = format_args!("no directory can be made there to extract into: {error}");
        Fail::of(place, why)
    })?;
    let root = File::open(place).map_err(|error| Fail::of(place, error))?;
    // Modes are those of the image.
    umask(Mode::empty());
    let owners = geteuid().is_root() && !args.no_same_owner;
    let mut out = BufWriter::new(io::stdout().lock());
    // Each name, if that is asked for; JSON is an object alone.
    let each = loudness::is_verbose() && !args.json;
    let (names, mut printed) = (Names::new(false), Ok(()));
    let done =
        extract::all((&image.tree, &sources), &wanted, (root.as_fd(), place), owners, |path| {
            if each && printed.is_ok() {
                printed = names.write(&mut out, path).and_then(|()| out.write_all(b"\n"));
            }
        })?;
    printed.map_err(Fail::stdout)?;
    durable::sync_filesystem(place, &root)?;
    done.missing.warnings().iter().for_each(|line| warn::say(place, line));
    let report = ExtractedReport::new(&args.of.image, place, &done);
    print::made(&mut out, &report, args.json, |out| match each {
        true => Ok(()),
        false => report.write(out),
    })?;
    out.flush().map_err(Fail::stdout)?;
    done.missing.errors().map_or(Ok(()), |why| Err(Fail::of(place, why)))
}
