//! `tarfs diff`.

mod compare;
mod compared;
mod inodes;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args as Group;
use serde::Serialize;

use self::compare::Change;
use self::compared::Compared;
pub(crate) use self::inodes::What;
use crate::cli::fail::{Done, Fail};
use crate::cli::quote::{self, Names};
use crate::cli::reading_options::ReadingArgs;
use crate::files::unchanged;
use crate::layers::as_mounted;
use crate::show::print;

#[derive(Debug, Group)]
#[command(after_help = "\
A line for each path: A of what only B has, D of what only A has, C of what both have and what of it is another. Exit
codes are those of diff(1): 0 if there is no difference, 1 if there is one, 2 if something is wrong.

Examples:
  tarfs diff old.disk new.disk
  tarfs diff --ignore mtime --ignore owner oci:DIR:1.0 oci:DIR:1.1
  tarfs diff --json layer.tar layer.erofs | jq -r .path")]
pub(crate) struct Diff {
    /// What does not count as a difference; may be given several times. Without content no file is read.
    #[arg(long, value_name = "WHAT")]
    ignore: Vec<What>,
    /// An object for each path: path, change, what.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: ReadingArgs,
    /// An image, or any LAYER of merge.
    #[arg(value_name = "A")]
    first: PathBuf,
    /// Another one.
    #[arg(value_name = "B")]
    second: PathBuf,
}

/// A line.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    change: Change,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    what: Vec<String>,
}

pub(crate) fn run(args: &Diff) -> Done {
    // What diff(1) calls trouble has another code than a difference.
    let trouble = |fail| match fail {
        Fail::Failed(text) => Fail::Usage(text),
        other => other,
    };
    match differ(args).map_err(trouble)? {
        true => Err(Fail::Differs),
        false => Ok(()),
    }
}

/// Prints what differs; answers whether anything does.
fn differ(args: &Diff) -> Done<bool> {
    let how = args.at.how(false);
    let (first, second) =
        (as_mounted::open(&args.first, &how)?, as_mounted::open(&args.second, &how)?);
    let content = !args.ignore.contains(&What::Content);
    let sources = |image: &crate::layers::loaded::Loaded| match content {
        true => image.sources(),
        false => Ok(Vec::new()),
    };
    let (of_first, of_second) = (sources(&first)?, sources(&second)?);
    let left = Compared { tree: &first.tree, sources: &of_first, name: &args.first };
    let right = Compared { tree: &second.tree, sources: &of_second, name: &args.second };
    let mut out = BufWriter::new(io::stdout().lock());
    let (names, mut any) = (Names::new(false), false);
    compare::all(&left, &right, &args.ignore, |path, change, what| {
        any = true;
        // The root has no name of its own.
        let path = if path.is_empty() { b"/" } else { path };
        let done = match args.json {
            true => {
                let path = String::from_utf8_lossy(path).into_owned();
                print::json_line(&mut out, &Line { path, change, what })
            }
            false => write!(out, "{} ", change.letter())
                .and_then(|()| names.write(&mut out, path))
                .and_then(|()| match what.is_empty() {
                    true => writeln!(out),
                    false => writeln!(out, ": {}", quote::Line(&what.join(", "))),
                }),
        };
        done.map_err(Fail::stdout)
    })?;
    out.flush().map_err(Fail::stdout)?;
    unchanged::check()?;
    Ok(any)
}
