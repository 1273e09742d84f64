//! Indexes and manifests, and how they are told apart.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::cli::fail::{Done, Fail};
use crate::layers::images::descriptor::Descriptor;
use crate::layers::images::{json, words};

/// An index or a manifest.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Document {
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) media_type: String,
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) artifact_type: String,
    pub(crate) manifests: Option<Vec<Descriptor>>,
    pub(crate) config: Option<Descriptor>,
    pub(crate) layers: Option<Vec<Descriptor>>,
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) annotations: BTreeMap<String, Value>,
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
            Some(Class::Other) => Err(Fail::of(
                file,
                format_args!("is of media type {}", words::quoted(&self.media_type)),
            )),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Result<Class, String> {
        let file = Path::new("f");
        let parsed: Done<Document> = json::parse(file, text.as_bytes(), "a manifest");
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
