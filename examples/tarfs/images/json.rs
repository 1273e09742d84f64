//! The fields of indexes, manifests and configurations that are used. What is not used is not
//! parsed; a list or an object that is null is one that is not there.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};
use serde_json::Value;

use super::pick::is_digest;
use super::platform::Platform;
use crate::fail::{Done, Fail};

/// The annotation of a name, or of a tag alone.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The full name, where Docker and containerd write the layout.
const IMAGE_NAME: &str = "io.containerd.image.name";
/// Of what is no image, but says something about one.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
/// Of the second form of an image that is there with gzip layers too.
const ZSTD: &str = "io.github.containers.compression.zstd";

/// Parses JSON; errors say what it should have been, and where it is not.
pub(crate) fn parse<T: DeserializeOwned>(file: &Path, bytes: &[u8], what: &str) -> Done<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Fail::of(file, format_args!("cannot be read as {what}: {error}")))
}

/// Null is what is there when nothing is said.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Refers to a blob.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(deserialize_with = "lenient")]
    pub(crate) media_type: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) digest: String,
    /// In bytes, if it is said.
    pub(crate) size: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    platform: PlatformOf,
    #[serde(deserialize_with = "lenient")]
    annotations: BTreeMap<String, Value>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) artifact_type: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) urls: Vec<String>,
}

/// A platform as indexes and configurations have it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PlatformOf {
    #[serde(deserialize_with = "lenient")]
    os: String,
    #[serde(deserialize_with = "lenient")]
    architecture: String,
    #[serde(deserialize_with = "lenient")]
    variant: String,
}

/// A platform, if all is said that it needs.
fn platform(os: &str, architecture: &str, variant: &str) -> Option<Platform> {
    let is_said = !os.is_empty() && !architecture.is_empty();
    is_said.then(|| Platform::new(os, architecture, variant))
}

impl Descriptor {
    /// Of a digest alone.
    pub(crate) fn of(digest: &str) -> Self {
        Self { digest: digest.to_owned(), ..Self::default() }
    }

    /// The hex digits of the digest: a name of nothing but those.
    pub(crate) fn hex(&self, file: &Path) -> Done<&str> {
        match self.digest.split_once(':') {
            Some((_, hex)) if is_digest(&self.digest) => Ok(hex),
            _ => {
                let why =
                    format_args!("{:?} is no SHA-256 digest, and no other is known", self.digest);
                Err(Fail::of(file, why))
            }
        }
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key)?.as_str()
    }

    /// What the image is called.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        [self.annotation(REF_NAME), self.annotation(IMAGE_NAME)].into_iter().flatten()
    }

    /// The platform, if it says one.
    pub(crate) fn platform(&self) -> Option<Platform> {
        let PlatformOf { os, architecture, variant } = &self.platform;
        platform(os, architecture, variant)
    }

    /// Whether it says that it is no image, but a statement about one.
    pub(crate) fn is_attestation(&self) -> bool {
        let unknown = self.platform.os == "unknown" && self.platform.architecture == "unknown";
        unknown || self.annotation(REFERENCE_TYPE).is_some()
    }

    /// Whether it is there for those who can unpack zstd.
    pub(crate) fn is_zstd_twin(&self) -> bool {
        self.annotation(ZSTD) == Some("true")
    }
}

/// An index or a manifest.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Document {
    #[serde(deserialize_with = "lenient")]
    pub(crate) media_type: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) artifact_type: String,
    pub(crate) manifests: Option<Vec<Descriptor>>,
    pub(crate) config: Option<Descriptor>,
    pub(crate) layers: Option<Vec<Descriptor>>,
    /// Of Docker's first schema.
    fs_layers: Option<IgnoredAny>,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Index,
    Manifest,
    Other,
}

impl Class {
    /// What a media type says; nothing if there is none.
    pub(crate) fn of(media_type: &str) -> Option<Self> {
        Some(match media_type {
            "" => return None,
            "application/vnd.oci.image.index.v1+json"
            | "application/vnd.docker.distribution.manifest.list.v2+json" => Self::Index,
            "application/vnd.oci.image.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v2+json" => Self::Manifest,
            _ => Self::Other,
        })
    }
}

impl Document {
    /// What it is, by its media type and what is in it, which must not disagree.
    pub(crate) fn class(&self, file: &Path) -> Done<Class> {
        let (index, manifest) = (self.manifests.is_some(), self.config.is_some());
        if self.fs_layers.is_some() {
            let why = "is a Docker manifest of schema 1, which says nothing of its layers' content \
                       (`skopeo copy --format v2s2` converts it)";
            return Err(Fail::of(file, why));
        }
        // Of one digest, two readers would see two images.
        if index && (manifest || self.layers.is_some()) {
            return Err(Fail::of(file, "is an index and a manifest at once"));
        }
        match Class::of(&self.media_type) {
            Some(Class::Other) => {
                Err(Fail::of(file, format_args!("is of media type {}", quoted(&self.media_type))))
            }
            Some(Class::Index) if manifest => {
                Err(Fail::of(file, "calls itself an index, and is a manifest"))
            }
            Some(Class::Manifest) if index => {
                Err(Fail::of(file, "calls itself a manifest, and is an index"))
            }
            Some(class) => Ok(class),
            None if index => Ok(Class::Index),
            None if manifest => Ok(Class::Manifest),
            None => Err(Fail::of(file, "is neither an index nor a manifest")),
        }
    }
}

/// A configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    #[serde(deserialize_with = "lenient")]
    os: String,
    #[serde(deserialize_with = "lenient")]
    architecture: String,
    #[serde(deserialize_with = "lenient")]
    variant: String,
    #[serde(deserialize_with = "lenient")]
    rootfs: RootFs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RootFs {
    #[serde(deserialize_with = "lenient")]
    diff_ids: Vec<String>,
}

impl Config {
    /// The platform, if it says one.
    pub(crate) fn platform(&self) -> Option<Platform> {
        platform(&self.os, &self.architecture, &self.variant)
    }

    /// Digests of the uncompressed layers, lowest first.
    pub(crate) fn diff_ids(&self) -> &[String] {
        &self.rootfs.diff_ids
    }
}

/// A text of somebody else in an error: escaped, and not endless.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(120).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

/// Choices in an error: some of them, if there are many.
pub(crate) fn listed(choices: impl IntoIterator<Item = String>) -> String {
    let mut choices = choices.into_iter();
    let some: Vec<String> = choices.by_ref().take(16).collect();
    match choices.count() {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Result<Class, String> {
        let file = Path::new("f");
        let parsed: Done<Document> = parse(file, text.as_bytes(), "a manifest");
        parsed.and_then(|document| document.class(file)).map_err(|fail| fail.to_string())
    }

    #[test]
    fn documents_and_what_they_are() {
        let index = "application/vnd.oci.image.index.v1+json";
        assert_eq!(document(r#"{"manifests":[]}"#), Ok(Class::Index));
        assert_eq!(document(r#"{"config":{},"layers":null}"#), Ok(Class::Manifest));
        assert_eq!(
            document(&format!(r#"{{"mediaType":"{index}","manifests":null}}"#)),
            Ok(Class::Index)
        );
        for (text, why) in [
            ("{}", "neither"),
            (r#"{"manifests":[],"layers":[]}"#, "at once"),
            (r#"{"schemaVersion":1,"fsLayers":[]}"#, "schema 1"),
            (r#"{"mediaType":"a/b","config":{}}"#, r#"media type "a/b""#),
            (&format!(r#"{{"mediaType":"{index}","config":{{}}}}"#), "calls itself an index"),
            (r#"{"layers":[],"layers":[]}"#, "duplicate field"),
            ("{\n \"layers\": 7}", "line 2 column"),
        ] {
            let error = document(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
