//! Archives of images that are given as layers, by mistake or not.

use std::path::Path;

use testkit::tarball::TarBuilder;

use super::generator::Place;
use crate::run::{ok_of, run};

#[test]
fn an_image_that_is_read_as_a_layer_is_warned_of() {
    let place = Place::new();
    let hex = "0123456789abcdef".repeat(4);
    let tar = TarBuilder::new;
    let docker = [
        tar().file("manifest.json", b"[]").file("repositories", b"{}"),
        tar().file("manifest.json", b"[]").file(format!("{hex}.json"), b"{}"),
        tar().file("manifest.json", b"[]").file(format!("{hex}/layer.tar"), b""),
        tar().file("manifest.json", b"[]").dir("blobs/sha256", 0o755).file("index.json", b""),
        tar().file("repositories", b"{}").file(format!("{hex}/layer.tar"), b""),
    ];
    let oci = [tar().file("oci-layout", b"").file("index.json", b"").dir("blobs/sha256", 0o755)];
    let none = [
        tar().file("manifest.json", b"{}").file("app.js", b""),
        tar().file("index.json", b"{}").dir("blobs", 0o755),
        tar().file("a/oci-layout", b"").file("a/index.json", b"").dir("a/blobs", 0o755),
    ];
    let rows = docker.map(|tar| (tar, Some("docker-archive:"))).into_iter();
    let rows = rows.chain(oci.map(|tar| (tar, Some("oci-archive:"))));
    for (tar, prefix) in rows.chain(none.map(|tar| (tar, None))) {
        let bytes = tar.finish();
        let file = place.write("x.tar", &bytes);
        let zst = place.write("x.tar.zst", zstd::encode_all(&bytes[..], 1).unwrap());
        let expected = |file: &str| match prefix {
            Some(prefix) => format!("{prefix}{file}"),
            None => String::new(),
        };
        let out = place.text("out");
        for input in [&file, &zst] {
            for command in [&["layer", "-o", &out, input][..], &["merge", "-o", &out, input]] {
                let ran = run(command);
                assert_eq!(ran.code, 0, "{}", ran.stderr);
                let warned =
                    ran.stderr.contains("warning") && ran.stderr.contains(&expected(input));
                assert_eq!(warned, prefix.is_some(), "{command:?}: {}", ran.stderr);
                assert_eq!(ran.stderr.is_empty(), prefix.is_none(), "{}", ran.stderr);
                assert!(Path::new(&out).is_file());
            }
        }
        ok_of(&bytes, ["merge", "-o", &out, "-"]);
    }
}
