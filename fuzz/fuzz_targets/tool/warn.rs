//! Warnings, made and thrown away.

use std::fmt;
use std::path::Path;

use crate::cli::quote;

pub(crate) fn say(file: &Path, what: impl fmt::Display) {
    line(quote::Line(&format!("{}: {what}", quote::name(file))));
}

pub(crate) fn line(text: impl fmt::Display) {
    assert!(!text.to_string().contains('\n'), "a warning is a line");
}

pub(crate) fn detail(what: impl fmt::Display) {
    line(what);
}
