//! The configuration of an image: its platform and its diffIDs.

use serde::Deserialize;

use crate::cli::platform::Platform;
use crate::layers::images::json;

/// A configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    #[serde(deserialize_with = "json::lenient")]
    os: String,
    #[serde(deserialize_with = "json::lenient")]
    architecture: String,
    #[serde(deserialize_with = "json::lenient")]
    variant: String,
    #[serde(deserialize_with = "json::lenient")]
    rootfs: RootFs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RootFs {
    #[serde(deserialize_with = "json::lenient")]
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

/// A platform as indexes and configurations have it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PlatformOf {
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) os: String,
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) architecture: String,
    #[serde(deserialize_with = "json::lenient")]
    pub(crate) variant: String,
}

/// A platform, if all is said that it needs.
pub(crate) fn platform(os: &str, architecture: &str, variant: &str) -> Option<Platform> {
    let is_said = !os.is_empty() && !architecture.is_empty();
    is_said.then(|| Platform::new(os, architecture, variant))
}
