//! `nydus-image` of erofs-tarfs: tarfs mode of nydus-snapshotter, without Nydus's own program.
//!
//! nydus-snapshotter runs `nydus-image` for each layer, for each image, and for each disk that it exports.
//! Installed under that name, this program takes those calls and does them with the library: see
//! `nydus-image --help`. Bootstraps that Nydus's program made before are read too.
//!
//! | file | duty |
//! |---|---|
//! | `arguments` | the command line: commands, what all of them take, and the help |
//! | `refused` | options of Nydus's program that this one refuses, and the words for it |
//! | `create` | a layer's tar becomes its bootstrap |
//! | `source` | where the tar comes from: a pipe with a name, a device, a file |
//! | `layer` | a tar becomes a layer, and what is said of it |
//! | `merge` | bootstraps of layers become that of their image |
//! | `inspect` | what is in a bootstrap, as JSON |
//! | `export` | a bootstrap and its tars become a disk, with a hash tree if that is wanted |
//! | `check` | whether a bootstrap, and the tars beside it, are sound |
//! | `bootstrap` | a bootstrap is read, and what is none of a tarfs is refused |
//! | `rafs` | what Nydus's program writes behind the superblock |
//! | `tars` | the tars of a bootstrap, found by blob ID |
//! | `target` | where an output goes, and what it must not take the place of |
//! | `result` | the file of `--output-json` |
//! | `fail` | why the program ends with 1 or 2 |

mod arguments;
mod bootstrap;
mod check;
mod create;
mod export;
mod fail;
mod inspect;
mod layer;
mod merge;
mod rafs;
mod refused;
mod result;
mod source;
mod target;
mod tars;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use fail::{Done, line};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() => {
            // Whoever reads the help may have enough of it.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            error.render().to_string().lines().for_each(line);
            return ExitCode::from(fail::USAGE);
        }
    };
    match run(&arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => {
            line(&format!("nydus-image: {fail}"));
            ExitCode::from(fail.code())
        }
    }
}

fn run(command: &Command) -> Done {
    match command {
        Command::Create(args) => create::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Export(args) => export::run(args),
        Command::Check(args) => check::run(args),
        Command::Other(words) => Err(refused::command(words)),
    }
}
