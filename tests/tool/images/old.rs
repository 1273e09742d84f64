//! `docker save` before Docker 1.10: a directory a layer, each with its parent.

use serde_json::json;
use testkit::tarball::TarBuilder;

use super::generator::Expected::{Both, Error, Layers};
use super::generator::Place;

/// Two layers, the second on top of the first, and the names of both.
fn archive(place: &Place, repositories: Option<&str>) -> Vec<u8> {
    let (lower, upper) = ("a".repeat(64), "b".repeat(64));
    let describe = |id: &str, parent: Option<&str>| {
        let mut json = json!({"id": id, "os": "linux", "architecture": "amd64", "config": {}});
        if let Some(parent) = parent {
            json["parent"] = json!(parent);
        }
        json.to_string()
    };
    let mut tar = TarBuilder::new();
    for (id, parent, layer) in
        [(&upper, Some(lower.as_str()), &place.tars[1]), (&lower, None, &place.tars[0])]
    {
        tar = tar
            .dir(id, 0o755)
            .file(format!("{id}/VERSION"), b"1.0")
            .file(format!("{id}/json"), describe(id, parent))
            .file(format!("{id}/layer.tar"), layer);
    }
    if let Some(repositories) = repositories {
        tar = tar.file("repositories", repositories.replace('A', &lower).replace('B', &upper));
    }
    tar.finish()
}

#[test]
fn chains_of_parents() {
    let place = Place::new();
    let two = r#"{"x": {"1": "A", "2": "B"}, "y": {"latest": "B"}}"#;
    for (what, repositories, suffix, expected) in [
        ("one name", Some(r#"{"x": {"latest": "B"}}"#), "", Both),
        ("two names of one image", Some(r#"{"x": {"1": "B", "2": "B"}}"#), "", Both),
        ("the lower image", Some(two), ":x:1", Layers(&[0][..])),
        ("the upper image", Some(two), ":docker.io/library/y", Both),
        (
            "two images, none asked for",
            Some(two),
            "",
            Error(&["say which: \"x:1\", \"x:2\", \"y:latest\""]),
        ),
        ("saved by its ID", None, "", Both),
        ("a name that is not there", Some(two), ":z", Error(&["no image \"z\""])),
        ("a layer that is not there", Some(r#"{"x": {"1": "C"}}"#), "", Error(&["has no C/json"])),
    ] {
        let file = place.write("old.tar", archive(&place, repositories));
        place.expect(what, &[], &format!("docker-archive:{file}{suffix}"), expected);
    }
    let file = place.write("old.tar", archive(&place, None));
    let other = Error(&["is an image for linux/amd64, not for linux/arm64"]);
    place.expect(
        "platform",
        &["--platform", "linux/arm64"],
        &format!("docker-archive:{file}"),
        other,
    );
}

#[test]
fn parents_that_go_round() {
    let place = Place::new();
    let id = "a".repeat(64);
    let tar = TarBuilder::new()
        .file(format!("{id}/json"), json!({"parent": id}).to_string())
        .file("repositories", json!({"x": {"1": id}}).to_string());
    let file = place.write("old.tar", tar.finish());
    place.expect("round", &[], &format!("docker-archive:{file}"), Error(&["each other's parents"]));
    let file = place.write("old.tar", TarBuilder::new().file("x", b"").finish());
    let neither = Error(&["neither manifest.json nor repositories"]);
    place.expect("no image", &[], &format!("docker-archive:{file}"), neither);
}
