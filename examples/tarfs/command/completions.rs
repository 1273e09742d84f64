//! `tarfs completions`.

use std::io::{self, Write};

use clap::{Args as Group, Command};
use clap_complete::{Shell, generate};

use crate::cli::fail::{Done, Fail};

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs completions bash > /usr/share/bash-completion/completions/tarfs
  tarfs completions zsh > /usr/share/zsh/vendor-completions/_tarfs
  tarfs completions fish > /usr/share/fish/vendor_completions.d/tarfs.fish")]
pub(crate) struct Completions {
    /// The shell that is to complete command lines.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script for a shell; `program` is the tool's command line.
pub(crate) fn run(args: &Completions, mut program: Command) -> Done {
    let mut script = Vec::new();
    generate(args.shell, &mut program, "tarfs", &mut script);
    let mut out = io::stdout().lock();
    out.write_all(&script).and_then(|()| out.flush()).map_err(Fail::stdout)
}
