//! Warnings: what is odd, and yet no error.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use crate::cli::quote;

/// Says on standard error what is odd about a file.
pub(crate) fn say(file: &Path, what: impl fmt::Display) {
    let text = format!("{}: {what}", quote::name(file));
    line(format_args!("tarfs: warning: {}", quote::Line(&text)));
}

/// Writes a line to standard error. If that is closed, nobody is told.
pub(crate) fn line(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
