//! Where reports go, and how JSON is written.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::cli::fail::{Done, Fail};
use crate::cli::loudness;
use crate::files::place;

/// Where the report on an output goes: to standard error, if the output itself is standard output.
pub(crate) fn stream(output: &str) -> Box<dyn Write> {
    match place::is_stdout(Path::new(output)) {
        true => Box::new(io::stderr()),
        false => Box::new(io::stdout().lock()),
    }
}

/// Prints a report: one line of JSON, or what `write` says to people.
pub(crate) fn report<W: Write>(
    mut out: W,
    value: &impl Serialize,
    json: bool,
    write: impl FnOnce(&mut W) -> io::Result<()>,
) -> Done {
    match json {
        true => json_line(&mut out, value),
        false => write(&mut out),
    }
    .map_err(Fail::stdout)
}

/// Prints a report on what was made, unless people want to hear nothing of it.
pub(crate) fn made<W: Write>(
    out: W,
    value: &impl Serialize,
    json: bool,
    write: impl FnOnce(&mut W) -> io::Result<()>,
) -> Done {
    match loudness::is_quiet() && !json {
        true => Ok(()),
        false => report(out, value, json, write),
    }
}

/// One line of JSON.
pub(crate) fn json_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    writeln!(out, "{text}")
}
