//! `tarfs`: container layers to EROFS over their tars, and back to listings.
//!
//! A program over the public API of `erofs-tarfs`; `tarfs --help` teaches its use.

mod args;
mod behind;
mod cat;
mod check;
mod compare;
mod decompress;
mod export;
mod fail;
mod find;
mod form;
mod geometry;
mod images;
mod input;
mod inspect;
mod layer;
mod leaves;
mod load;
mod ls;
mod merge;
mod mount_args;
mod output;
mod overlaid;
mod partitioned;
mod parts;
mod picture;
mod progress;
mod report;
mod script;
mod segments;
mod sizes;
mod spool;
mod unmoved;
mod verity;
mod view;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use fail::Fail;

fn main() -> ExitCode {
    let done = match Args::parse().command {
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
            eprintln!("tarfs: {fail}");
            ExitCode::from(fail.code())
        }
    }
}
