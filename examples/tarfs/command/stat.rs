//! `tarfs stat`.

use std::io::{self, BufWriter, Write};

use clap::Args as Group;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote::Names;
use crate::cli::reading_options::PathIn;
use crate::layers::{as_mounted, paths};
use crate::show::details;

#[derive(Debug, Group)]
pub(crate) struct Stat {
    /// Names and targets as they are, also on a terminal, where they are quoted as `ls` does.
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) file: PathIn,
}

pub(crate) fn run(args: &Stat) -> Done {
    let (file, names) = (&args.file, Names::new(args.raw));
    let image = as_mounted::open(&file.image, &file.at.how(false))?;
    let id = paths::at(&image.tree, &file.image, &file.path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    details::write(&mut out, &image.tree, id, file.path.as_encoded_bytes(), names)
        .and_then(|()| out.flush())
        .map_err(Fail::stdout)
}
