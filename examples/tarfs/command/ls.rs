//! `tarfs ls`.

use std::io::{self, BufWriter, Write};

use clap::Args as Group;
use erofs_tarfs::tree::{NodeKind, Tree};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote::Names;
use crate::cli::reading_options::PathsIn;
use crate::layers::as_mounted;
use crate::layers::chosen::{self, Chosen};
use crate::show::listing::{self, Lines};

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs ls -l image.disk etc usr/bin
  tarfs ls -R image.disk usr/share/doc
  tarfs ls -ld --glob image.disk '**/*.so*'        # the files themselves, wherever they are
  tarfs ls --json -R image.disk | jq 'select(.mode > \"4000\")'")]
pub(crate) struct Ls {
    /// Mode, links, owner, size, time and target as well.
    #[arg(short)]
    long: bool,
    /// What is below directories too.
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Directories themselves, and not what is in them.
    #[arg(short, long, conflicts_with = "recursive")]
    directory: bool,
    /// An object for each file, a line each, with its path and all that is known of it.
    #[arg(long, conflicts_with_all = ["long", "raw", "zero"])]
    json: bool,
    /// Names and targets as they are, also on a terminal, where they are quoted as `ls` does.
    #[arg(long)]
    raw: bool,
    /// End each line with a zero byte, for names that have newlines in them; implies --raw.
    #[arg(short = '0', long = "zero")]
    zero: bool,
    #[command(flatten)]
    of: PathsIn,
}

pub(crate) fn run(args: &Ls) -> Done {
    let image = as_mounted::open(&args.of.image, &args.of.at.how(false))?;
    let mut chosen = chosen::all(&image.tree, &args.of.image, &args.of.or_root(), args.of.glob)?;
    // As ls(1) has it, in byte order.
    chosen.sort();
    let mut out = BufWriter::new(io::stdout().lock());
    let lines = Lines {
        names: Names::new(args.raw || args.zero),
        end: if args.zero { b"\0" } else { b"\n" },
        long: args.long,
        json: args.json,
    };
    listed(args, &mut out, &image.tree, &chosen, lines)
        .and_then(|()| out.flush())
        .map_err(Fail::stdout)
}

/// Files first, then directories, each under its path if there is more than one thing to list.
fn listed(
    args: &Ls,
    out: &mut impl Write,
    tree: &Tree,
    chosen: &[Chosen],
    lines: Lines,
) -> io::Result<()> {
    let opened = |one: &&Chosen| tree.kind(one.1) == NodeKind::Directory && !args.directory;
    let files = chosen.iter().filter(|one| !opened(one));
    for (path, id) in files.clone() {
        listing::line(out, tree, *id, path.as_encoded_bytes(), lines)?;
    }
    let heading = (chosen.len() > 1 || args.recursive) && !args.json;
    let mut first = files.count() == 0;
    for (path, id) in chosen.iter().filter(opened) {
        let path = path.as_encoded_bytes();
        match args.recursive {
            true => listing::below(out, tree, *id, path, lines, &mut first)?,
            false => {
                listing::directory(out, tree, *id, path, lines, heading.then_some(&mut first))?
            }
        }
    }
    Ok(())
}
