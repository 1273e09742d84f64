//! What checking an image came to, as JSON and for people.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::fail::Done;
use crate::cli::quote;
use crate::layers::noted::Noted;
use crate::show::print;

/// What was found. A disk with partitions has a verdict of its own for each filesystem in it; only `ok`
/// is about all of them. `ok` says nothing of what is in `unread`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Verdict {
    pub(crate) path: String,
    pub(crate) ok: bool,
    /// Whether it is of a disk with partitions.
    #[serde(skip)]
    pub(crate) is_disk: bool,
    pub(crate) inodes: usize,
    /// Tags of the tars, in the disk or files of their own, whose bytes have the SHA-256 that the
    /// tags say.
    pub(crate) tars: Vec<String>,
    /// The hash tree that all data was held against.
    pub(crate) verity: Option<Root>,
    /// Whether it was compared with layers.
    pub(crate) compared: bool,
    pub(crate) problems: Vec<String>,
    /// What was not checked, and why.
    pub(crate) unread: Vec<String>,
    /// Those of a disk's partitions with EROFS in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) partitions: Vec<Verdict>,
    /// What of the layers was not taken as it stands.
    #[serde(flatten)]
    pub(crate) noted: Noted,
}

/// A root hash.
#[derive(Debug, Serialize)]
pub(crate) struct Root {
    /// That of the data as it is.
    pub(crate) root_hash: String,
    /// Whether it was said which it must be.
    pub(crate) given: bool,
    /// Whether partitions' GUIDs say it, and nobody else.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub(crate) by_guids: bool,
}

impl Verdict {
    /// All texts of a list, its own and those of its partitions, each with the path that it is about.
    pub(crate) fn all<'a>(&'a self, list: fn(&'a Self) -> &'a [String]) -> Vec<(&'a str, &'a str)> {
        let of = |verdict: &'a Self| list(verdict).iter().map(|text| (&*verdict.path, &**text));
        of(self).chain(self.partitions.iter().flat_map(of)).collect()
    }

    pub(crate) fn print(&self, json: bool) -> Done {
        print::report(io::stdout().lock(), self, json, |out| self.write(out))
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.partitions.iter().try_for_each(|partition| partition.write(out))?;
        let path = quote::name(&self.path);
        for problem in &self.problems {
            writeln!(out, "{path}: {}", quote::Line(problem))?;
        }
        for unread in &self.unread {
            writeln!(out, "{path}: not checked: {}", quote::Line(unread))?;
        }
        if self.ok {
            writeln!(out, "{path}: good as far as checked: {}", self.checked())?;
        }
        Ok(())
    }

    /// What was checked, in words.
    fn checked(&self) -> String {
        let of_disk = "both partition tables".to_owned();
        let of_image = format!("structure of {} inodes", self.inodes);
        let mut parts = vec![if self.is_disk { of_disk } else { of_image }];
        if !self.tars.is_empty() {
            parts.push(format!("{} tars by their SHA-256", self.tars.len()));
        }
        if let Some(Root { root_hash, given, by_guids }) = &self.verity {
            let given = match (given, by_guids) {
                (_, true) => "the partitions' GUIDs are its halves",
                (true, _) => "as given",
                _ => "computed, none was given",
            };
            parts.push(format!("all data by its hash tree, root {root_hash} ({given})"));
        }
        if self.compared {
            parts.push("names, attributes and bytes by the layers".to_owned());
        }
        // What was not read of partitions is listed with these, and counted here too.
        let unread = self.all(|verdict| &verdict.unread).len();
        if unread > 0 {
            parts.push(format!("{unread} not checked"));
        }
        parts.join("; ")
    }
}
