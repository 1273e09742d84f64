//! How much a command says besides what was asked of it: `-q` and `-v`, which every command has.

use std::sync::atomic::{AtomicI8, Ordering};

use clap::Args as Group;

#[derive(Debug, Group)]
pub(crate) struct Loudness {
    /// Say nothing but errors, and what was asked for: no warnings, no progress, no reports that are for people.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say on standard error which files are read and made, and which programs are called; extract prints names.
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// One command runs in a process: -1 is quiet, 1 verbose.
static LOUDNESS: AtomicI8 = AtomicI8::new(0);

impl Loudness {
    /// It counts for all that the command says from now on.
    pub(crate) fn set(&self) {
        LOUDNESS.store(i8::from(self.verbose) - i8::from(self.quiet), Ordering::Relaxed);
    }
}

/// Whether errors alone are to be said.
pub(crate) fn is_quiet() -> bool {
    LOUDNESS.load(Ordering::Relaxed) < 0
}

/// Whether more is to be said.
pub(crate) fn is_verbose() -> bool {
    LOUDNESS.load(Ordering::Relaxed) > 0
}
