//! `tarfs`: container layers to EROFS over their tars, and back to listings.
//!
//! A program over the public API of `erofs-tarfs`; `tarfs --help` teaches its use.

mod args;
mod behind;
mod broken;
mod cat;
mod check;
mod compare;
mod decompress;
mod digests;
mod ending;
mod export;
mod fail;
mod find;
mod form;
mod geometry;
mod image_verdict;
mod images;
mod input;
mod inspect;
mod layer;
mod layered;
mod leaves;
mod load;
mod ls;
mod merge;
mod mount_args;
mod notes;
mod otherwise;
mod output;
mod partition;
mod partitioned;
mod partitions;
mod picture;
mod place;
mod progress;
mod quote;
mod report;
mod same;
mod seal;
mod segments;
mod side;
mod sizes;
mod spare;
mod spool;
mod table;
mod unfinished;
mod unmoved;
mod verdict;
mod verity;
mod view;
mod volume;
mod warn;
mod whole;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use fail::Fail;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return told(&error),
    };
    let done = match args.command {
        Command::Layer(args) => layer::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Verity(args) => verity::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Ls(args) => ls::run(&args),
        Command::Stat(args) => ls::stat(&args),
        Command::Cat(args) => cat::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::MountArgs(args) => mount_args::run(&args),
    };
    // What was shown of a file that changed meanwhile is not what is in it.
    match done.and_then(|()| unmoved::check()) {
        // Whoever read our output has enough of it.
        Ok(()) | Err(Fail::Pipe) => ExitCode::SUCCESS,
        Err(fail) => {
            warn::line(format_args!("tarfs: {fail}"));
            ExitCode::from(fail.code())
        }
    }
}

/// Says what the command line lacks, or the help that was asked for.
fn told(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Whoever reads it has enough of it.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // It has words of the command line in it, which may be names of others.
    error.render().to_string().lines().for_each(|line| warn::line(quote::Line(line)));
    ExitCode::from(2)
}
