//! What is no container image, or none that can be read, and why.

use serde_json::{Value, json};

use super::generator::Expected::{Both, Error};
use super::generator::{CONFIG, LAYER, MANIFEST, Place};

#[test]
fn artifacts_are_named_by_their_media_type() {
    let place = Place::new();
    for (config, artifact, layer, why) in [
        (
            "application/vnd.cncf.helm.config.v1+json",
            "",
            "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "not a container image, but of media type \"application/vnd.cncf.helm.config.v1+json\"",
        ),
        (
            "application/vnd.wasm.config.v0+json",
            "",
            "application/wasm",
            "not a container image, but of media type \"application/vnd.wasm.config.v0+json\"",
        ),
        (
            "application/vnd.oci.empty.v1+json",
            "application/vnd.example.sbom",
            "text/plain",
            "not a container image, but of media type \"application/vnd.example.sbom\"",
        ),
        (
            CONFIG,
            "",
            "application/wasm",
            "not a container image, but of media type \"application/wasm\"",
        ),
        (
            CONFIG,
            "",
            "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
            "layer 1 is encrypted (media type \"application/vnd.oci.image.layer.v1.tar+gzip+encrypted\")",
        ),
    ] {
        let mut layout = place.layout("l");
        let of_config = layout.json(&json!({"rootfs": {"diff_ids": ["x"]}}), config);
        let manifest = json!({
            "schemaVersion": 2, "config": of_config, "artifactType": artifact,
            "layers": [layout.blob("data", layer)],
        });
        let manifest = layout.json(&manifest, MANIFEST);
        layout.add(manifest, "latest");
        place.expect(config, &[], &layout.done(), Error(&[why]));
    }
}

#[test]
fn media_types_of_layers_that_are_tars() {
    let place = Place::new();
    for media_type in [
        "",
        LAYER,
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ] {
        let mut layout = place.layout("l");
        let blobs: Vec<_> = place.tars.iter().map(|tar| (&tar[..], &tar[..])).collect();
        let set = |manifest: &mut Value| manifest["layers"][1]["mediaType"] = json!(media_type);
        let image = layout.edited(&blobs, |_| {}, set);
        layout.add(image, "");
        place.expect(media_type, &[], &layout.done(), Both);
    }
}

#[test]
fn a_layer_that_is_no_tar_among_others() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let blobs: Vec<_> = place.tars.iter().map(|tar| (&tar[..], &tar[..])).collect();
    let set = |manifest: &mut Value| manifest["layers"][1]["mediaType"] = json!("text/plain");
    let image = layout.edited(&blobs, |_| {}, set);
    layout.add(image, "");
    let refused = Error(&["layer 2 is no tar (media type \"text/plain\")"]);
    place.expect("text", &[], &layout.done(), refused);
}

#[test]
fn media_types_of_configurations_that_registries_mixed_up() {
    let place = Place::new();
    for media_type in ["", "application/octet-stream", "application/json", "text/html"] {
        let mut layout = place.layout("l");
        let blobs: Vec<_> = place.tars.iter().map(|tar| (&tar[..], &tar[..])).collect();
        let set = |manifest: &mut Value| manifest["config"]["mediaType"] = json!(media_type);
        let image = layout.edited(&blobs, |_| {}, set);
        layout.add(image, "");
        place.expect(media_type, &[], &layout.done(), Both);
    }
}

#[test]
fn foreign_layers_that_are_elsewhere() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let [lower, upper] = &place.tars[..] else { unreachable!() };
    let mut layer = Value::Null;
    let image = layout.edited(
        &[(lower, lower), (upper, upper)],
        |_| {},
        |manifest| {
            manifest["layers"][0]["mediaType"] = json!(media_type);
            manifest["layers"][0]["urls"] = json!(["https://elsewhere/x"]);
            layer = manifest["layers"][0].clone();
        },
    );
    layout.without(&layer);
    layout.add(image, "");
    let refused = Error(&["layer 1 is foreign", "\"https://elsewhere/x\"", media_type]);
    place.expect("foreign", &[], &layout.done(), refused);
}

#[test]
fn what_is_wrong_is_said_with_its_file_and_place() {
    let place = Place::new();
    for (index, parts) in [
        ("{\n\"manifests\": 7}", &["l/index.json", "line 2 column 14"][..]),
        ("", &["l/index.json", "line 1 column 0"]),
        ("{}", &["l/index.json", "has no image"]),
        (r#"{"manifests": [{"digest": "sha256:../../../../etc/passwd"}]}"#, &["no SHA-256 digest"]),
        (r#"{"manifests": [{"digest": "sha512:00"}]}"#, &["sha512:00", "no SHA-256 digest"]),
        (r#"{"config": {}, "layers": []}"#, &["is no index"]),
        (r#"{"schemaVersion": 1, "fsLayers": []}"#, &["has no image"]),
    ] {
        place.expect(index, &[], &place.layout("l").done_with(index), Error(parts));
    }
    let huge = format!("{{\"x\": \"{}\"}}", "x".repeat(4 << 20));
    let refused =
        Error(&["l/index.json", "bytes of JSON are over the limit max_json_bytes of 4194304"]);
    place.expect("huge", &[], &place.layout("l").done_with(&huge), refused);

    let mut layout = place.layout("l");
    let config = layout.blob("{\"rootfs\":\n {\"diff_ids\": 7}}", CONFIG);
    let manifest = layout.json(&json!({"config": config, "layers": []}), MANIFEST);
    layout.add(manifest.clone(), "");
    let arg = layout.done();
    let hex = &config["digest"].as_str().unwrap()["sha256:".len()..];
    let cause = ["as a configuration: integer `7`, where a list is wanted", "line 2 column"];
    place.expect("a configuration", &[], &arg, Error(&[hex, cause[0], cause[1]]));

    layout.manifests[0]["size"] = json!(7);
    let size = format!("bytes instead of {}", 7);
    place.expect("a length", &[], &layout.done(), Error(&[&size]));
    layout.without(&manifest);
    place.expect("absent", &[], &layout.done(), Error(&["its manifest sha256:", "is not there"]));
}

#[test]
fn of_many_choices_some_are_shown() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let image = layout.both();
    for number in 0..1000 {
        layout.add(image.clone(), &format!("{number:03}{}", "n".repeat(500)));
    }
    let arg = layout.done();
    place.expect("a thousand", &[], &format!("{arg}:x"), Error(&["… and 984 more"]));
    assert!(place.merge(&[], &format!("{arg}:x")).stderr.len() < 4000);
}

#[test]
fn schema_1() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let manifest = json!({"schemaVersion": 1, "fsLayers": [], "history": []});
    let manifest = layout.json(&manifest, MANIFEST);
    layout.add(manifest, "");
    place.expect("schema 1", &[], &layout.done(), Error(&["Docker manifest of schema 1"]));
}
