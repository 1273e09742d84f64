//! `tarfs ls`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args as Group;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote::Names;
use crate::cli::reading_options::ReadingArgs;
use crate::layers::{as_mounted, paths};
use crate::show::listing::{self, Lines};

#[derive(Debug, Group)]
pub(crate) struct Ls {
    /// Mode, links, owner, size, time and target as well.
    #[arg(short)]
    pub(crate) long: bool,
    #[command(flatten)]
    pub(crate) at: ReadingArgs,
    /// Names and targets as they are, also on a terminal, where they are quoted as `ls` does.
    #[arg(long)]
    pub(crate) raw: bool,
    /// End each line with a zero byte, for names that have newlines in them; implies --raw.
    #[arg(short = '0', long = "zero")]
    pub(crate) zero: bool,
    /// An image, or any LAYER of merge.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
    /// A path in it.
    #[arg(value_name = "PATH", default_value = "/")]
    pub(crate) path: std::ffi::OsString,
}

pub(crate) fn run(args: &Ls) -> Done {
    let image = as_mounted::open(&args.image, &args.at.how(false))?;
    let id = paths::at(&image.tree, &args.image, &args.path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let lines = Lines {
        names: Names::new(args.raw || args.zero),
        end: if args.zero { b"\0" } else { b"\n" },
        long: args.long,
    };
    listing::write(&mut out, &image.tree, id, args.path.as_encoded_bytes(), lines)
        .and_then(|()| out.flush())
        .map_err(Fail::stdout)
}
