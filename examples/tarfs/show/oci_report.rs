//! An OCI image that was made, as JSON and for people.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::fail::Done;
use crate::layers::noted::Noted;
use crate::show::print;

/// What was made.
#[derive(Debug, Serialize)]
pub(crate) struct OciReport {
    /// The layout, and the name in it.
    pub(crate) image: String,
    /// Digest of the manifest.
    pub(crate) manifest: String,
    /// Digest of the EROFS over the tars.
    pub(crate) erofs: String,
    /// Its length in bytes.
    pub(crate) erofs_size: u64,
    /// Digests of the blobs of its devices, in the order of `device=` options.
    pub(crate) devices: Vec<String>,
    /// What of its layers was not taken as it stands.
    #[serde(flatten)]
    pub(crate) noted: Noted,
}

impl OciReport {
    /// Prints it: one line of JSON, or lines for people.
    pub(crate) fn print(&self, json: bool) -> Done {
        print::made(io::stdout().lock(), self, json, |out| self.write(out))
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}: {}", self.image, self.manifest)?;
        let Self { erofs, erofs_size, devices, .. } = self;
        writeln!(out, "EROFS {erofs}: {erofs_size} bytes over {} layers", devices.len())
    }
}
