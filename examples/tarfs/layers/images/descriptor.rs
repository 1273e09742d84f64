//! Descriptors: what refers to a blob.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::cli::fail::{Done, Fail};
use crate::cli::platform::Platform;
use crate::files::digest::is_named_digest;
use crate::layers::images::config::{self, PlatformOf};
use crate::layers::images::json;

/// The annotation of a name, or of a tag alone.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The full name, where Docker and containerd write the layout.
const IMAGE_NAME: &str = "io.containerd.image.name";
/// Of what is no image, but says something about one.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
/// Of the second form of an image that is there with gzip layers too.
const ZSTD: &str = "io.github.containers.compression.zstd";

/// Refers to a blob.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) media_type: String,
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) digest: String,
    /// In bytes, if it is said.
    pub(crate) size: Option<u64>,
    #[serde(deserialize_with = "json::lenient")]
    platform: PlatformOf,
    #[serde(deserialize_with = "json::lenient")]
    annotations: BTreeMap<String, Value>,
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) artifact_type: String,
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) urls: Vec<String>,
}

impl Descriptor {
    /// Of a digest alone.
    pub(crate) fn of(digest: &str) -> Self {
        Self { digest: digest.to_owned(), ..Self::default() }
    }

    /// The hex digits of the digest: a name of nothing but those.
    pub(crate) fn hex(&self, file: &Path) -> Done<&str> {
        match self.digest.split_once(':') {
            Some((_, hex)) if is_named_digest(&self.digest) => Ok(hex),
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
        config::platform(os, architecture, variant)
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
