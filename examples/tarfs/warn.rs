//! What is odd, and yet no error.

use std::fmt;
use std::path::Path;

use crate::quote;

/// Says on standard error what is odd about a file.
pub(crate) fn say(file: &Path, what: impl fmt::Display) {
    let text = format!("{}: {what}", quote::name(file));
    eprintln!("tarfs: warning: {}", quote::Line(&text));
}
