//! `mkfs.erofs` of erofs-tarfs: container layers in the place of erofs-utils' program.
//!
//! containerd's EROFS differ runs `mkfs.erofs` for each layer. Installed under that name, this program
//! takes its calls, and makes the same kinds of file with the library: see `mkfs.erofs --help`.
//!
//! | file | duty |
//! |---|---|
//! | `arguments` | the command line, as erofs-utils has it |
//! | `wanted` | what the command line asks for, and what of it is refused |
//! | `source` | where the tar comes from: standard input, a file, a directory |
//! | `upper` | a directory becomes a tar, entry by entry |
//! | `pax` | what the header of an entry has no room for |
//! | `layer` | a tar becomes a layer, and what is said of it |
//! | `full` | `--tar=f`: the layer's disk, with its data |
//! | `index` | `--tar=i`: the metadata alone, to which the tar is appended |
//! | `target` | the output, which is whole or not there |
//! | `fail` | why the program ends with 1 |

mod arguments;
mod fail;
mod full;
mod index;
mod layer;
mod pax;
mod source;
mod target;
mod upper;
mod wanted;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use erofs_tarfs::io::Output;

use arguments::Arguments;
use fail::{Done, line};
use wanted::{Kind, Wanted};

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
            return ExitCode::FAILURE;
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => {
            line(&format!("mkfs.erofs: {fail}"));
            ExitCode::FAILURE
        }
    }
}

/// Makes the output, which gets its name as the last step.
fn run(arguments: &Arguments) -> Done {
    let wanted = Wanted::of(arguments)?;
    let target = target::new(&arguments.output, &wanted.source)?;
    let made = source::open(&wanted, |tar| match wanted.kind {
        Kind::Full => full::write(tar, &wanted, target.file()),
        Kind::Index => index::write(tar, &wanted, target.file()),
    })?;
    let bytes = target.file().bytes()?;
    Output::finish(vec![target.synced(!arguments.no_sync)])?;
    if !arguments.quiet {
        let path = arguments.output.display();
        let (inodes, block) = (made.inodes, made.block_size);
        // The output is there, whether or not anybody reads this.
        let _ =
            writeln!(io::stdout(), "{path}: {inodes} inodes, {bytes} bytes, block size {block}");
    }
    Ok(())
}
