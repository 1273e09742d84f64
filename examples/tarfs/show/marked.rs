//! What is printed of an output by `--print`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use erofs_tarfs::verity::Sealed;
use serde::Serialize;

use crate::cli::fail::{Done, Fail};
use crate::cli::marks::{Mark, Marks};
use crate::show::print;

/// The role of a layer in an image, as the EROFS image specification calls it; an image alone has none.
pub(crate) const LAYER: Option<&str> = Some("overlay-lower");

/// What is asked for.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Marked {
    /// Annotations, as a descriptor in a manifest has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    erofs_annotations: Option<BTreeMap<&'static str, String>>,
    /// Options of a mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    kata_options: Option<Vec<String>>,
}

impl Marked {
    /// What is asked for of an output, whose SHA-256 is computed if it is needed.
    pub(crate) fn new(
        marks: &Marks,
        role: Option<&str>,
        sealed: Option<&Sealed>,
        sha256: impl FnOnce() -> Done<String>,
    ) -> Done<Self> {
        let usage = |error: erofs_tarfs::verity::Error| Fail::Usage(format!("--print: {error}"));
        let mut marked = Self::default();
        if marks.has(Mark::ErofsAnnotations) {
            let of_tree = sealed.map(Sealed::erofs_annotations).transpose().map_err(usage)?;
            let role = role.map(|role| ("org.erofs.role", role.to_owned()));
            let digest = ("org.erofs.uncompressed-digest", format!("sha256:{}", sha256()?));
            let all = of_tree.into_iter().flatten().chain(role).chain([digest]);
            marked.erofs_annotations = Some(all.collect());
        }
        if marks.has(Mark::KataOptions) {
            marked.kata_options = sealed.map(Sealed::kata_options).transpose().map_err(usage)?;
        }
        Ok(marked)
    }

    /// Lines for people, and for scripts: JSON, and a list with commas.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(annotations) = &self.erofs_annotations {
            print::json_line(out, annotations)?;
        }
        self.kata_options.iter().try_for_each(|options| writeln!(out, "{}", options.join(",")))
    }
}
