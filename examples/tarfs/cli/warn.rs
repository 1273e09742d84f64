//! Warnings: what is odd, and yet no error.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use crate::cli::{loudness, quote};

/// Says on standard error what is odd about a file.
pub(crate) fn say(file: &Path, what: impl fmt::Display) {
    if loudness::is_quiet() {
        return;
    }
    let text = format!("{}: {what}", quote::name(file));
    line(format_args!("tarfs: warning: {}", quote::Line(&text)));
}

/// Writes a line to standard error. If that is closed, nobody is told.
pub(crate) fn line(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says what is being done, to who wants to know.
pub(crate) fn detail(what: impl fmt::Display) {
    if loudness::is_verbose() {
        line(format_args!("tarfs: {what}"));
    }
}
