//! Where reports go, and how JSON is written.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::cli::fail::{Done, Fail};
use crate::files::place;

/// Where the report on an output goes: to standard error, if the output itself is standard output.
pub(crate) fn stream(output: &str) -> Box<dyn Write> {
    match place::is_stdout(Path::new(output)) {
        true => Box::new(io::stderr()),
        false => Box::new(io::stdout().lock()),
    }
}

/// One line of JSON.
pub(crate) fn json_line(out: &mut impl Write, value: &impl Serialize) -> Done {
    let text = serde_json::to_string(value).map_err(|error| Fail::Failed(error.to_string()))?;
    writeln!(out, "{text}").map_err(Fail::stdout)
}
