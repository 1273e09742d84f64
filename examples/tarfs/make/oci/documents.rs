//! What stands in the documents of an image whose tars are devices of one EROFS.
//!
//! <https://github.com/erofs/erofs-image-spec>, a draft: sections 2.3 (annotations), 2.4 (roles), 3.8
//! (order), 5 (configuration).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::cli::fail::{Done, Fail};
use crate::files::kind::Kind;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// An EROFS image, not compressed.
pub(crate) const EROFS: &str = "application/vnd.erofs";
/// The name of an image in an index.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What those who do not know of EROFS are to be warned by.
const FEATURE: &str = "erofs";
const OS_FEATURES: &str = "os.features";

/// A blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlobOf {
    /// Its SHA-256, in hex digits.
    pub(crate) hex: String,
    pub(crate) bytes: u64,
}

impl BlobOf {
    pub(crate) fn descriptor(&self, media_type: &str) -> Value {
        json!({
            "mediaType": media_type,
            "digest": format!("sha256:{}", self.hex),
            "size": self.bytes,
        })
    }
}

/// The descriptor of a tar that is a device of the EROFS behind it.
pub(crate) fn device(blob: &BlobOf, kind: Kind, diff_id: &str) -> Value {
    let tar = "application/vnd.oci.image.layer.v1.tar";
    let (media_type, is_packed) = match kind {
        Kind::Gzip => (format!("{tar}+gzip"), true),
        Kind::Zstd => (format!("{tar}+zstd"), true),
        _ => (tar.to_owned(), false),
    };
    let mut annotations = json!({ "org.erofs.role": "device" });
    if is_packed {
        annotations["org.erofs.uncompressed-digest"] = diff_id.into();
    }
    let mut descriptor = blob.descriptor(&media_type);
    descriptor["annotations"] = annotations;
    descriptor
}

/// All of a configuration.
pub(crate) fn config(path: &Path, bytes: &[u8]) -> Done<Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(config)) => Ok(config),
        _ => Err(Fail::of(path, "is not the JSON object that a configuration is")),
    }
}

/// The diffIDs of a configuration.
pub(crate) fn diff_ids(config: &Map<String, Value>) -> Vec<String> {
    let list = config.get("rootfs").and_then(|rootfs| rootfs["diff_ids"].as_array());
    let text = |id: &Value| id.as_str().unwrap_or_default().to_owned();
    list.into_iter().flatten().map(text).collect()
}

/// Gives a configuration one layer more: what it runs stays as it is.
pub(crate) fn add_layer(config: &mut Map<String, Value>, erofs: &BlobOf) {
    let mut diff_ids = diff_ids(config);
    diff_ids.push(format!("sha256:{}", erofs.hex));
    config.insert("rootfs".to_owned(), json!({ "type": "layers", "diff_ids": diff_ids }));
    let features = config.entry(OS_FEATURES).or_insert(Value::Null);
    *features = with_feature(features);
    // Each layer has its place in the history, if there is one.
    if let Some(Value::Array(history)) = config.get_mut("history") {
        history.push(json!({ "created_by": "tarfs oci", "comment": "EROFS over the tars below" }));
    }
}

fn with_feature(features: &Value) -> Value {
    let mut list = features.as_array().cloned().unwrap_or_default();
    if !list.iter().any(|feature| feature == FEATURE) {
        list.push(FEATURE.into());
    }
    list.into()
}

/// The manifest.
pub(crate) fn manifest(
    config: &BlobOf,
    layers: Vec<Value>,
    annotations: &BTreeMap<String, Value>,
) -> Value {
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(CONFIG),
        "layers": layers,
    });
    if !annotations.is_empty() {
        manifest["annotations"] = json!(annotations);
    }
    manifest
}

/// The descriptor of the manifest, for an index.
pub(crate) fn entry(manifest: &BlobOf, config: &Map<String, Value>, name: Option<&str>) -> Value {
    let keys = ["architecture", "os", "os.version", OS_FEATURES, "variant"];
    let said = keys.iter().filter_map(|key| Some(((*key).to_owned(), config.get(*key)?.clone())));
    let mut entry = manifest.descriptor(MANIFEST);
    entry["platform"] = Value::Object(said.collect());
    if let Some(name) = name {
        entry["annotations"] = json!({ REF_NAME: name });
    }
    entry
}
