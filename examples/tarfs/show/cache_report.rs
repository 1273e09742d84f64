//! What was made of a layer in a cache, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::cli::fail::Done;
use crate::show::print;
use crate::show::report::Report;

/// An entry of a cache.
#[derive(Debug, Serialize)]
pub(crate) struct CacheReport {
    /// The digest of the layer, as images write it.
    pub(crate) diff_id: String,
    pub(crate) path: String,
    /// Whether it was there already.
    pub(crate) kept: bool,
    /// Why one that was there was made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remade: Option<String>,
    /// What was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) made: Option<Report>,
}

impl CacheReport {
    /// An entry that is there.
    pub(crate) fn kept(diff_id: &str, path: &Path) -> Self {
        let (diff_id, path) = (format!("sha256:{diff_id}"), path.display().to_string());
        Self { diff_id, path, kept: true, remade: None, made: None }
    }

    /// An entry that was made.
    pub(crate) fn made(diff_id: &str, path: &Path, remade: Option<String>, made: Report) -> Self {
        Self { kept: false, remade, made: Some(made), ..Self::kept(diff_id, path) }
    }

    /// Prints it: one line of JSON, or lines for people.
    pub(crate) fn print(&self, json: bool) -> Done {
        print::made(io::stdout().lock(), self, json, |out| self.write(out))
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { path, remade, made, .. } = self;
        let Some(made) = made else { return writeln!(out, "{path}: kept") };
        let anew = remade.as_ref().map(|why| format!(", made anew: {why}")).unwrap_or_default();
        writeln!(out, "{path}: {} bytes{anew}", made.size)?;
        made.verity
            .as_ref()
            .map_or(Ok(()), |verity| writeln!(out, "root hash: {}", verity.root_hash))
    }
}
