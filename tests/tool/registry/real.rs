//! Debian's registry, to which skopeo brings an image.

use std::fs;
use std::process::Command;

use testkit::oci::{small_image, write_layout};
use testkit::oracle::Verdict;
use testkit::registry::Registry;

use crate::run::{ok, run};

#[test]
fn an_image_of_a_registry_is_the_image() {
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("layout");
    let tars: Vec<Vec<u8>> = small_image().into_iter().map(|layer| layer.tar).collect();
    write_layout(&layout, &tars).unwrap();
    let Some(registry) = Registry::start(dir.path()) else { return };
    registry.push(&layout, "a/image:t");
    let image = format!("docker://{}/a/image:t", registry.host);

    let local = format!("oci:{}", layout.display());
    let root = |image: &str| ok(["root", image]);
    assert_eq!(root(&image), root(&local));
    let sealed = |image: &str, out: &str| {
        let out = dir.path().join(out);
        let words = ["export", "--mode", "image_block_with_verity", "-o"];
        ok(words.map(str::as_ref).into_iter().chain([out.as_os_str(), image.as_ref()]));
        fs::read(out).unwrap()
    };
    assert_eq!(sealed(&image, "far.disk"), sealed(&local, "near.disk"));

    let inspected =
        Verdict::of(Command::new(&registry.skopeo).args(["inspect", "--tls-verify=false", &image]));
    inspected.expect_ok("skopeo inspect");
    let said: serde_json::Value = serde_json::from_str(&inspected.output).unwrap();
    let digest = said["Digest"].as_str().unwrap();
    let named = format!("docker://{}/a/image@{digest}", registry.host);
    assert_eq!(root(&named), root(&local));

    let host = &registry.host;
    for (image, why) in [
        (format!("docker://{host}/a/image:u"), "MANIFEST_UNKNOWN"),
        (format!("docker://{host}/b/image:t"), "the registry answers 404 Not Found"),
        (format!("docker://{host}/a/image@sha256:{}", "0".repeat(64)), "MANIFEST_UNKNOWN"),
    ] {
        let ran = run(["ls", &image]);
        assert_eq!(ran.code, 1, "{image}: {}", ran.stderr);
        assert!(ran.stderr.contains(&image) && ran.stderr.contains(why), "{image}: {}", ran.stderr);
    }
}
