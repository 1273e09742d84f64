//! What was attached to an image, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::cli::fail::Done;
use crate::show::print;

/// What is attached.
#[derive(Debug, Serialize)]
pub(crate) struct AttachedReport {
    image: String,
    /// Digest of the image's manifest.
    subject: String,
    /// Digest of the manifest that refers to it.
    pub(crate) artifact: String,
    root_hash: String,
    bootstrap: File,
    hash_tree: File,
    /// What the registry was given; nothing if it was given nothing.
    #[serde(flatten)]
    sent: Option<Sent>,
}

/// A file of it.
#[derive(Debug, Serialize)]
pub(crate) struct File {
    pub(crate) digest: String,
    pub(crate) size: u64,
}

/// What a registry was given.
#[derive(Debug, Serialize)]
pub(crate) struct Sent {
    /// Bytes of the two files, without those that were there.
    #[serde(rename = "sent_bytes")]
    pub(crate) bytes: u64,
    /// The tag of the index of referrers, where the registry keeps no list of its own.
    #[serde(rename = "index_tag", skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<String>,
}

impl AttachedReport {
    /// Says what was sent.
    pub(crate) fn sent(&mut self, sent: Sent) {
        self.sent = Some(sent);
    }

    /// What is to be attached to an image.
    pub(crate) fn new(
        image: &Path,
        (subject, artifact): (&str, &str),
        root_hash: String,
        bootstrap: File,
        hash_tree: File,
    ) -> Self {
        let (image, subject) = (image.display().to_string(), subject.to_owned());
        let artifact = artifact.to_owned();
        Self { image, subject, artifact, root_hash, bootstrap, hash_tree, sent: None }
    }

    /// Prints it: one line of JSON, or lines for people.
    pub(crate) fn print(&self, json: bool) -> Done {
        print::made(io::stdout().lock(), self, json, |out| self.write(out))
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { image, artifact, root_hash, bootstrap, hash_tree, .. } = self;
        let how = match &self.sent {
            None => " (nothing was sent)".to_owned(),
            Some(Sent { bytes, index: None }) => format!(" ({bytes} bytes sent)"),
            Some(Sent { bytes, index: Some(tag) }) => {
                format!(" ({bytes} bytes sent; listed by the tag {tag})")
            }
        };
        writeln!(out, "{image}: {artifact}{how}")?;
        writeln!(out, "root hash {root_hash}")?;
        let (metadata, tree) = (bootstrap.size, hash_tree.size);
        writeln!(out, "{metadata} bytes of metadata, {tree} bytes of hash tree")
    }
}
