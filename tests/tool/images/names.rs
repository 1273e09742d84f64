//! Which image of a layout: names, numbers, digests.

use serde_json::{Value, json};

use super::generator::Expected::{Both, Error, Layers};
use super::generator::Place;
use super::layouts::check;

#[test]
fn names() {
    check(&[
        (
            "a full name",
            |l| {
                let image = l.both();
                l.add(image, "localhost:5000/a/x:1");
            },
            ":localhost:5000/a/x:1",
            Both,
        ),
        (
            "a name that Docker would shorten",
            |l| {
                let image = l.both();
                l.add(image, "docker.io/library/x:latest");
            },
            ":x",
            Both,
        ),
        (
            "the name that containerd adds",
            |l| {
                let image = l.both();
                l.add(image, "1");
                l.manifests[0]["annotations"]["io.containerd.image.name"] =
                    json!("docker.io/library/x:1");
            },
            ":x:1",
            Both,
        ),
        (
            "two names of one image, none asked for",
            |l| {
                let image = l.both();
                l.add(image.clone(), "a");
                l.add(image, "b");
            },
            "",
            Both,
        ),
        (
            "two images, one asked for",
            |l| {
                let (lower, both) = (l.image(&[0], "linux/amd64"), l.both());
                l.add(lower, "a");
                l.add(both, "b");
            },
            ":b",
            Both,
        ),
        (
            "two images, none asked for",
            |l| {
                let (lower, both) = (l.image(&[0], "linux/amd64"), l.both());
                l.add(lower, "a");
                l.add(both, "b:1");
            },
            "",
            Error(&["several images; say which", "\"a\"", "\"b:1\""]),
        ),
        (
            "the second",
            |l| {
                let (lower, both) = (l.image(&[0], "linux/amd64"), l.both());
                l.add(lower, "a");
                l.add(both, "");
            },
            ":@1",
            Both,
        ),
        (
            "the third of two",
            |l| {
                let (lower, both) = (l.image(&[0], "linux/amd64"), l.both());
                l.add(lower, "a");
                l.add(both, "");
            },
            ":@2",
            Error(&["has 2 images, and no @2"]),
        ),
        (
            "a name that is not there",
            |l| {
                let image = l.both();
                l.add(image, "a\u{1b}[31m");
            },
            ":b",
            Error(&["has no image \"b\", only \"a\\u{1b}[31m\""]),
        ),
    ]);
}

#[test]
fn digests() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let (both, lower) = (layout.image(&[0, 1], "linux/amd64"), layout.image(&[0], "linux/arm64"));
    let index = layout.index(&[&both, &lower]);
    layout.add(index.clone(), "latest");
    let arg = layout.done();
    let at = |descriptor: &Value| format!("{arg}@{}", descriptor["digest"].as_str().unwrap());
    place.expect("of a manifest in an index", &[], &at(&both), Both);
    place.expect("of another platform", &[], &at(&lower), Layers(&[0]));
    place.expect("of an index", &["--platform", "linux/arm64"], &at(&index), Layers(&[0]));
    let none = format!("{arg}@sha256:{}", "0".repeat(64));
    place.expect("of nothing", &[], &none, Error(&["has no sha256:0000"]));
    place.expect(
        "the other platform than that of the digest",
        &["--platform", "linux/amd64"],
        &at(&lower),
        Error(&["is an image for linux/arm64, not for linux/amd64"]),
    );
}
