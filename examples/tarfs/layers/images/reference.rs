//! What an argument names: `oci:DIR:NAME`, `docker-archive:FILE:@0` and their like.

use std::path::{Path, PathBuf};

use crate::files::digest::is_named_digest;
use crate::files::stream::STDIN;
use crate::layers::images::image_name::ImageName;

/// The form that an image is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// An OCI image layout.
    Oci,
    /// The same in a tar.
    OciArchive,
    /// What `docker save` writes.
    DockerArchive,
    /// What `skopeo copy` writes to `dir:`.
    Directory,
    /// A repository of a registry.
    Registry,
}

/// An image, by where it is and which it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) transport: Transport,
    /// In a registry, its name there.
    pub(crate) path: PathBuf,
    pub(crate) pick: ImageName,
}

impl Reference {
    /// What stands before the path of an image.
    const PREFIXES: [(&str, Transport); 5] = [
        ("oci:", Transport::Oci),
        ("oci-archive:", Transport::OciArchive),
        ("docker-archive:", Transport::DockerArchive),
        ("dir:", Transport::Directory),
        ("docker://", Transport::Registry),
    ];

    /// The image that an argument names, if it names one and not a file.
    pub(crate) fn parse(arg: &Path) -> Option<Self> {
        let text = arg.to_str()?;
        let named = Self::PREFIXES.iter().find_map(|(prefix, transport)| {
            text.strip_prefix(prefix).map(|rest| (*transport, rest))
        });
        let (transport, rest) = named?;
        let whole = matches!(transport, Transport::Directory | Transport::Registry);
        if whole || Path::new(rest).exists() {
            return Some(Self { transport, path: rest.into(), pick: ImageName::default() });
        }
        let (rest, digest) = match rest.rsplit_once('@') {
            Some((before, digest)) if is_named_digest(digest) => (before, Some(digest.to_owned())),
            _ => (rest, None),
        };
        let (path, name) = split(rest);
        let pick = match name {
            Some(name) => ImageName::parse(name, digest),
            None => ImageName { digest, ..ImageName::default() },
        };
        Some(Self { transport, path: path.into(), pick })
    }
}

/// Path and name. A colon may be part of either: the longest path that is there is meant, and else
/// that before the first colon.
fn split(text: &str) -> (&str, Option<&str>) {
    if Path::new(text).exists() {
        return (text, None);
    }
    let at = |colon: usize| (&text[..colon], Some(&text[colon + 1..]));
    let mut colons: Vec<usize> = text.match_indices(':').map(|(at, _)| at).collect();
    let Some(first) = colons.first().copied() else { return (text, None) };
    colons.reverse();
    let there = |colon: &usize| {
        let path = &text[..*colon];
        path == STDIN || Path::new(path).exists()
    };
    at(colons.into_iter().find(there).unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_names_digests_and_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::create_dir(at("d")).unwrap();
        std::fs::create_dir(at("d:1")).unwrap();
        let digest = format!("sha256:{}", "0a".repeat(32));
        let parsed = |rest: &str| {
            let found = Reference::parse(Path::new(&format!("oci:{}", at(rest)))).unwrap();
            assert_eq!(found.transport, Transport::Oci);
            let ImageName { name, digest, number } = found.pick;
            (found.path.to_str().unwrap().to_owned(), name, digest, number)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parsed("d"), (at("d"), None, None, None));
        assert_eq!(parsed("d:x"), (at("d"), some("x"), None, None));
        assert_eq!(parsed("d:1"), (at("d:1"), None, None, None));
        assert_eq!(parsed("d:1:x"), (at("d:1"), some("x"), None, None));
        assert_eq!(parsed("d:host:5000/a/b:1"), (at("d"), some("host:5000/a/b:1"), None, None));
        assert_eq!(parsed(&format!("d@{digest}")), (at("d"), None, some(&digest), None));
        assert_eq!(parsed(&format!("d:x@{digest}")), (at("d"), some("x"), some(&digest), None));
        assert_eq!(parsed("d:@2"), (at("d"), None, None, Some(2)));
        assert_eq!(parsed("none:x:y"), (at("none"), some("x:y"), None, None));
        for file in ["d", "a.tar", "ocid:x", "./oci:d", "-"] {
            assert_eq!(Reference::parse(Path::new(file)), None, "{file}");
        }
    }
}
