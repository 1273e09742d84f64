//! What was extracted, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::cli::quote;
use crate::restore::extract::Extracted;
use crate::restore::missing::Missing;

/// An extraction.
#[derive(Debug, Serialize)]
pub(crate) struct ExtractedReport<'a> {
    image: String,
    directory: String,
    names: u64,
    bytes: u64,
    missing: &'a Missing,
    #[serde(skip)]
    place: &'a Path,
}

impl<'a> ExtractedReport<'a> {
    pub(crate) fn new(image: &Path, place: &'a Path, done: &'a Extracted) -> Self {
        let text = |path: &Path| path.display().to_string();
        Self {
            image: text(image),
            directory: text(place),
            names: done.names,
            bytes: done.bytes,
            missing: &done.missing,
            place,
        }
    }

    /// A line for people.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let place = quote::name(self.place);
        writeln!(out, "{place}: {} names, {} bytes of files", self.names, self.bytes)
    }
}
