//! The manifest that refers to an image, and brings its metadata and its hash tree.
//!
//! # References
//! OCI image specification 1.1, "Guidelines for Artifact Usage"; distribution specification 1.1, "Listing
//! Referrers".

use erofs_tarfs::verity::Sealed;
use serde_json::{Value, json};

use crate::cli::numbers;
use crate::make::attachment::parts::Parts;
use crate::make::oci::documents::{BlobOf, EROFS, MANIFEST};

/// What kind of artifact it is.
pub(crate) const ARTIFACT: &str = "application/vnd.erofs.tarfs.image.v1";
/// A hash tree of dm-verity alone, without a superblock.
pub(crate) const HASH_TREE: &str = "application/vnd.erofs.tarfs.hash-tree.v1";
/// What stands for a configuration.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Its bytes.
pub(crate) const EMPTY_BYTES: &[u8] = b"{}";
/// Their SHA-256.
pub(crate) const EMPTY_DIGEST: &str =
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
/// What oras calls a file that it pulls.
const TITLE: &str = "org.opencontainers.image.title";

/// How layers become bytes. It counts as the changelog's "format version" does: whoever has another makes
/// other bytes of the same layers.
pub(crate) const FORMAT: u32 = 4;

/// The image, and which of its layers give the parts.
pub(crate) struct Image<'a> {
    /// The descriptor of its manifest.
    pub(crate) subject: &'a Value,
    /// Digests of the layers as they are in the registry, lowest first.
    pub(crate) layers: &'a [String],
    /// Digests of their tars, in the same order.
    pub(crate) diff_ids: &'a [String],
    /// Whether links of lower layers were followed where layers were merged.
    pub(crate) follows_links: bool,
}

/// The manifest.
pub(crate) fn manifest(image: &Image<'_>, parts: &Parts) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": ARTIFACT,
        "config": { "mediaType": EMPTY, "digest": EMPTY_DIGEST, "size": EMPTY_BYTES.len() },
        "layers": [
            titled(&parts.bootstrap.blob, EROFS, "image.erofs"),
            titled(&parts.tree.blob, HASH_TREE, "image.verity"),
        ],
        "subject": image.subject,
        "annotations": annotations(image, &parts.sealed),
    })
}

fn titled(blob: &BlobOf, media_type: &str, title: &str) -> Value {
    let mut descriptor = blob.descriptor(media_type);
    descriptor["annotations"] = json!({ TITLE: title });
    descriptor
}

/// What is said of the parts: all that they follow from, so that whoever makes them otherwise knows it.
fn annotations(image: &Image<'_>, sealed: &Sealed) -> Value {
    let (geometry, params) = (sealed.geometry(), sealed.params());
    let salt = if params.salt().is_empty() { "-".into() } else { numbers::to_hex(params.salt()) };
    json!({
        "org.erofs.tarfs.format": FORMAT.to_string(),
        "org.erofs.tarfs.mode": "image_block_with_verity",
        "org.erofs.tarfs.block-size": "512",
        "org.erofs.tarfs.follow-lower-links": image.follows_links.to_string(),
        "org.erofs.tarfs.root": format!("sha256:{}", sealed.root()),
        "org.erofs.tarfs.data-blocks": geometry.data_blocks().to_string(),
        "org.erofs.tarfs.data-block-size": geometry.data_block().bytes().to_string(),
        "org.erofs.tarfs.hash-block-size": geometry.hash_block().bytes().to_string(),
        "org.erofs.tarfs.salt": salt,
        "org.erofs.tarfs.layers": image.layers.join(","),
        "org.erofs.tarfs.diff-ids": image.diff_ids.join(","),
    })
}

/// The descriptor of the manifest, as lists of referrers have it.
pub(crate) fn entry(manifest: &Value, blob: &BlobOf) -> Value {
    let mut entry = blob.descriptor(MANIFEST);
    entry["artifactType"] = manifest["artifactType"].clone();
    entry["annotations"] = manifest["annotations"].clone();
    entry
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_empty_configuration_has_its_digest() {
        assert_eq!(
            EMPTY_DIGEST,
            format!("sha256:{}", numbers::to_hex(&Sha256::digest(EMPTY_BYTES)))
        );
    }

    #[test]
    fn the_format_is_that_of_the_changelog() {
        let changelog = include_str!("../../../../CHANGELOG.md");
        assert!(changelog.contains(&format!("stay readable. Current: {FORMAT}.")));
    }
}
