//! `docker save`: names, numbers, several images, the tar around them.

use flate2::Compression;
use flate2::read::GzEncoder;
use serde_json::{Value, json};
use std::io::Read;
use testkit::tarball::{SparseForm, TarBuilder};

use super::generator::Expected::{Both, Error, Layers};
use super::generator::{Place, config};

/// An archive of `images`, whose configurations are `lower.json` and `both.json`.
fn archive(place: &Place, images: &Value) -> TarBuilder {
    let [lower, upper] = &place.tars[..] else { unreachable!() };
    TarBuilder::new()
        .file("manifest.json", images.to_string())
        .file("none.json", config(&[]))
        .file("lower.json", config(&[lower]))
        .file("both.json", config(&[lower, upper]))
        .file("a/layer.tar", lower)
        .file("b/layer.tar", upper)
}

fn image(config: &str, layers: &[&str], tags: &[&str]) -> Value {
    json!({"Config": config, "Layers": layers, "RepoTags": tags})
}

fn both(tags: &[&str]) -> Value {
    image("both.json", &["a/layer.tar", "b/layer.tar"], tags)
}

#[test]
fn which_image() {
    let place = Place::new();
    let lower = |tags: &[&str]| image("lower.json", &["a/layer.tar"], tags);
    let no_layers = json!({"Config": "none.json", "Layers": null, "RepoTags": null});
    for (what, images, suffix, expected) in [
        ("one", json!([both(&["x:1"])]), "", Both),
        ("layers null", json!([no_layers]), "", Layers(&[][..])),
        (
            "the second name of the second",
            json!([lower(&["y:1"]), both(&["x:1", "x:2"])]),
            ":x:2",
            Both,
        ),
        ("by number", json!([lower(&["y:1"]), both(&["x:1"])]), ":@0", Layers(&[0])),
        ("without a tag", json!([lower(&["x:1"]), both(&["x:latest"])]), ":x", Both),
        ("with Docker's host", json!([lower(&[]), both(&["a/x:1"])]), ":docker.io/a/x:1", Both),
        ("with a host and port", json!([lower(&[]), both(&["h:50/x:1"])]), ":h:50/x:1", Both),
        ("the same twice", json!([both(&["x:1"]), both(&["x:2"])]), "", Both),
        (
            "none asked for",
            json!([lower(&["y:1"]), both(&["x:1", "x:2"])]),
            "",
            Error(&["several images; say which: \"y:1\", \"x:1\" or \"x:2\""]),
        ),
        (
            "not there",
            json!([lower(&["y:1"]), both(&[])]),
            ":x:3",
            Error(&["no image \"x:3\", only \"y:1\", @1"]),
        ),
        ("number not there", json!([lower(&["y:1"])]), ":@1", Error(&["no image @1"])),
        ("nothing", json!([]), "", Error(&["manifest.json", "has no image"])),
        (
            "a layer that is not there",
            json!([image("lower.json", &["z"], &[])]),
            "",
            Error(&["has no z"]),
        ),
        (
            "a layer too few",
            json!([image("both.json", &["a/layer.tar"], &[])]),
            "",
            Error(&["1 layers, but 2 diffIDs"]),
        ),
        (
            "a layer of another digest",
            json!([image("lower.json", &["b/layer.tar"], &[])]),
            "",
            Error(&["b/layer.tar", "has the digest"]),
        ),
    ] {
        let file = place.write("save.tar", archive(&place, &images).finish());
        place.expect(what, &[], &format!("docker-archive:{file}{suffix}"), expected);
    }
    let file = place.write("save.tar", archive(&place, &json!([both(&[])])).finish());
    let arg = format!("docker-archive:{file}");
    place.expect("its platform", &["--platform", "linux/amd64"], &arg, Both);
    let other = Error(&["is an image for linux/amd64, not for linux/arm64"]);
    place.expect("another platform", &["--platform", "linux/arm64"], &arg, other);
    let digest = format!("{arg}@sha256:{}", "0".repeat(64));
    place.expect("a digest", &[], &digest, Error(&["not their digests"]));
}

#[test]
fn a_path_with_colons() {
    let place = Place::new();
    let bytes = archive(&place, &json!([both(&["x:1"])])).finish();
    let file = place.write("a:b.tar", &bytes);
    place.expect("no name", &[], &format!("docker-archive:{file}"), Both);
    place.expect("a name", &[], &format!("docker-archive:{file}:x:1"), Both);
    place.expect("not there", &[], &format!("docker-archive:{file}x:1"), Error(&["No such file"]));
}

#[test]
fn the_tar_around_an_image_says_nothing_by_its_attributes() {
    let place = Place::new();
    let images = json!([both(&["x:1"])]);
    let tar = archive(&place, &images)
        .file("more", b"")
        .xattr_libarchive("com.apple.provenance", b"\x01\x02")
        .xattr("system.nfs4_acl", b"x")
        .pax("SCHILY.acl.access", "user::rw-")
        .entry(b'Z', "of a type that nobody knows", 0o644)
        .file("../up", b"");
    let file = place.write("save.tar", tar.finish());
    place.expect("attributes, types, paths", &[], &format!("docker-archive:{file}"), Both);
}

#[test]
fn compressed_and_on_standard_input() {
    let place = Place::new();
    let bytes = archive(&place, &json!([both(&["x:1"])])).finish();
    let mut gz = Vec::new();
    GzEncoder::new(&bytes[..], Compression::fast()).read_to_end(&mut gz).unwrap();
    let file = place.write("save.tar.gz", &gz);
    place.expect("gzip", &[], &format!("docker-archive:{file}:x:1"), Both);
    for (bytes, arg) in [(&bytes, "docker-archive:-"), (&gz, "docker-archive:-:x:1")] {
        let out = place.text("stdin.disk");
        crate::run::ok_of(bytes, ["merge", "--disk", "-o", &out, arg]);
        place.expect("gzip", &[], &format!("docker-archive:{file}"), Both);
        assert!(std::fs::read(out).unwrap() == std::fs::read(place.path("out.disk")).unwrap());
    }
}

#[test]
fn json_that_claims_to_be_huge_is_not_read() {
    let place = Place::new();
    let sizes = (5 << 30, 1 << 40);
    for size in [sizes.0, sizes.1] {
        let piece: (u64, &[u8]) = (0, b"[");
        let tar = TarBuilder::new().sparse(SparseForm::Pax10, "manifest.json", size, &[piece]);
        let file = place.write("save.tar", tar.finish());
        let refused =
            Error(&["manifest.json", "bytes of JSON are over the limit max_json_bytes of 4194304"]);
        place.expect("sparse", &[], &format!("docker-archive:{file}"), refused);
    }
}

#[test]
fn what_is_wrong_with_json_is_said_with_its_place() {
    let place = Place::new();
    let refused = Error(&["save.tar/manifest.json", "an object is wanted, at line 2 column 3"]);
    let tar = TarBuilder::new().file("manifest.json", b"[\n  7]").finish();
    let file = place.write("save.tar", tar);
    place.expect("manifest", &[], &format!("docker-archive:{file}"), refused);
}
