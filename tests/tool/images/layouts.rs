//! OCI layouts: attestations, indexes in indexes, what is null.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

use super::generator::Expected::{Both, Error, Layers};
use super::generator::{CONFIG, Expected, INDEX, LIST, Layout, MANIFEST, Place};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A row: what it shows, how the layout is made, what stands behind its directory, what comes out.
pub(super) type Row = (&'static str, fn(&mut Layout<'_>), &'static str, Expected<'static>);

pub(super) fn check(rows: &[Row]) {
    let place = Place::new();
    for (what, make, suffix, expected) in rows {
        let mut layout = place.layout("l");
        make(&mut layout);
        let arg = layout.done() + suffix;
        place.expect(what, &["--platform", "linux/amd64"], &arg, *expected);
    }
}

#[test]
fn what_stands_beside_an_image_is_passed_over() {
    check(&[
        (
            "an attestation",
            |l| {
                let image = l.image(&[0, 1], "linux/amd64");
                let index = l.index(&[&image, &l.attestation(&image)]);
                l.add(index, "latest");
            },
            ":latest",
            Both,
        ),
        (
            "an attestation that is not there",
            |l| {
                let image = l.image(&[0, 1], "linux/amd64");
                let attestation = l.attestation(&image);
                l.without(&attestation);
                let index = l.index(&[&attestation, &image]);
                l.add(index, "latest");
            },
            "",
            Both,
        ),
        (
            "image and attestation in the outermost index",
            |l| {
                let image = l.image(&[0, 1], "linux/amd64");
                let attestation = l.attestation(&image);
                l.add(image, "");
                l.add(attestation, "");
            },
            "",
            Both,
        ),
        (
            "an artifact that refers to the image, told by its descriptor",
            |l| {
                let image = l.both();
                let mut artifact = artifact(l, &image);
                artifact["artifactType"] = json!("a/b");
                l.add(image, "latest");
                l.add(artifact, "");
            },
            "",
            Both,
        ),
        (
            "an artifact that only its manifest tells",
            |l| {
                let image = l.both();
                let artifact = artifact(l, &image);
                l.add(artifact, "");
                l.add(image, "latest");
            },
            "",
            Both,
        ),
        (
            "a signature, which has the configuration of an image, as cosign stores it",
            |l| {
                let image = l.both();
                let signature = json!({
                    "schemaVersion": 2, "config": l.blob("{}", CONFIG),
                    "layers": [l.blob("{}", "application/vnd.dev.cosign.simplesigning.v1+json")],
                });
                let signature = l.json(&signature, MANIFEST);
                l.add(signature, "");
                l.add(image, "latest");
            },
            "",
            Both,
        ),
        (
            "the manifests of an index, beside it",
            |l| {
                let images = [l.image(&[0, 1], "linux/amd64"), l.image(&[0], "linux/arm64")];
                let index = l.index(&images.each_ref());
                l.add(images[0].clone(), "");
                l.add(index, "latest");
            },
            "",
            Both,
        ),
        (
            "an attestation alone",
            |l| {
                let attestation = l.attestation(&json!({"digest": "x"}));
                l.add(attestation, "");
            },
            "",
            Error(&["no container image, only attestations"]),
        ),
        (
            "a manifest of another kind alone",
            |l| {
                let other = l.json(&json!({}), "application/vnd.oci.artifact.manifest.v1+json");
                l.add(other, "");
            },
            "",
            Error(&["no container image", "application/vnd.oci.artifact.manifest.v1+json"]),
        ),
        ("nothing", |_| {}, "", Error(&["index.json", "has no image"])),
    ]);
}

/// What a signature is stored as.
fn artifact(layout: &Layout<'_>, subject: &Value) -> Value {
    let config = layout.blob("{}", "application/vnd.oci.empty.v1+json");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [],
        "artifactType": "a/b", "subject": subject,
    });
    layout.json(&manifest, MANIFEST)
}

#[test]
fn indexes_in_indexes() {
    check(&[
        (
            "a list of Docker's",
            |l| {
                let image = l.image(&[0, 1], "linux/amd64");
                let index = l.index_of_type(&[&image], LIST);
                l.add(index, "latest");
            },
            "",
            Both,
        ),
        (
            "an index without its own media type",
            |l| {
                let image = l.image(&[0, 1], "linux/amd64");
                let index = l.json(&json!({"schemaVersion": 2, "manifests": [image]}), INDEX);
                l.add(index, "latest");
            },
            "",
            Both,
        ),
        (
            "descriptors without media types",
            |l| {
                let mut image = l.both();
                image["mediaType"] = Value::Null;
                let mut index = l.index(&[&image]);
                index.as_object_mut().unwrap().remove("mediaType");
                l.add(index, "latest");
            },
            "",
            Both,
        ),
        (
            "four deep",
            |l| {
                let mut inner = l.image(&[0, 1], "linux/amd64");
                for _ in 0..4 {
                    inner = l.index(&[&inner]);
                }
                l.add(inner, "latest");
            },
            "",
            Both,
        ),
        (
            "five deep",
            |l| {
                let mut inner = l.image(&[0, 1], "linux/amd64");
                for _ in 0..5 {
                    inner = l.index(&[&inner]);
                }
                l.add(inner, "latest");
            },
            "",
            Error(&["nested deeper than 4"]),
        ),
        (
            "one image, listed in two indexes",
            |l| {
                let image = l.image(&[0, 1], "linux/amd64");
                let other = l.image(&[0], "linux/arm64");
                let index = l.index(&[&l.index(&[&image]), &l.index(&[&image, &other])]);
                l.add(index, "latest");
            },
            "",
            Both,
        ),
        (
            "an index that is a manifest too",
            |l| {
                let image = l.both();
                let both =
                    json!({"manifests": [image], "config": l.blob("{}", CONFIG), "layers": []});
                let both = l.json(&both, INDEX);
                l.add(both, "latest");
            },
            "",
            Error(&["an index and a manifest at once"]),
        ),
        (
            "a manifest that is listed as an index",
            |l| {
                let mut image = l.both();
                image["mediaType"] = json!(INDEX);
                l.add(image, "latest");
            },
            "",
            Error(&["is listed as an index"]),
        ),
        (
            "an index that is listed as a manifest",
            |l| {
                let image = l.both();
                let mut index = l.index(&[&image]);
                index["mediaType"] = json!(MANIFEST);
                l.add(index, "latest");
            },
            "",
            Error(&["is listed as a manifest, and is an index"]),
        ),
    ]);
}

#[test]
fn null_absent_and_not_used() {
    check(&[
        (
            "diff_ids null",
            |l| {
                let image =
                    l.edited(&[], |config| config["rootfs"]["diff_ids"] = Value::Null, |_| {});
                l.add(image, "");
            },
            "",
            Layers(&[]),
        ),
        (
            "layers null",
            |l| {
                let image = l.edited(&[], |_| {}, |manifest| manifest["layers"] = Value::Null);
                l.add(image, "");
            },
            "",
            Layers(&[]),
        ),
        (
            "layers and rootfs absent",
            |l| {
                let no =
                    |value: &mut Value, key: &str| drop(value.as_object_mut().unwrap().remove(key));
                let image =
                    l.edited(&[], |config| no(config, "rootfs"), |manifest| no(manifest, "layers"));
                l.add(image, "");
            },
            "",
            Layers(&[]),
        ),
        (
            "annotations, platform, size null",
            |l| {
                let mut image = l.both();
                for key in ["annotations", "platform", "size", "urls", "artifactType"] {
                    image[key] = Value::Null;
                }
                l.add(image, "");
            },
            "",
            Both,
        ),
        (
            "fields that are not used, of any type",
            |l| {
                let place = Place::new();
                let blobs: Vec<_> = place.tars.iter().map(|tar| (&tar[..], &tar[..])).collect();
                let config = |config: &mut Value| {
                    config["config"] =
                        json!({"Volumes": {"/a": null}, "ExposedPorts": 7, "Env": null});
                    config["created"] = json!("yesterday");
                    config["history"] = json!([{"created": 3}]);
                };
                let image = l.edited(&blobs, config, |manifest| {
                    manifest["schemaVersion"] = json!("two");
                    manifest["subject"] = json!(1);
                });
                l.add(image, "");
            },
            "",
            Both,
        ),
        (
            "an image of no known platform",
            |l| {
                let image = l.edited(&[], |config| config["os"] = Value::Null, |_| {});
                l.add(image, "");
            },
            "",
            Error(&["which names no platform"]),
        ),
    ]);
}

#[test]
fn layers_in_pieces_padded_and_empty() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let [lower, upper] = &place.tars[..] else { unreachable!() };
    let members = [gzip(&lower[..700]), gzip(b""), gzip(&lower[700..]), vec![0; 3000]].concat();
    let frame = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
    let frames = [frame(&upper[..512]), skipped, frame(&upper[512..])].concat();
    let nothing = gzip(b"");
    let blobs: [(&[u8], &[u8]); 4] =
        [(&members, lower), (b"", b""), (&nothing, b""), (&frames, upper)];
    let image = layout.edited(&blobs, |_| {}, |_| {});
    layout.add(image, "");
    place.expect("members, frames, nothing", &[], &layout.done(), Both);
}
