//! Images as skopeo and umoci write them.

use std::path::Path;
use std::process::Command;

use testkit::oracle::{Verdict, tool};

use super::generator::Expected::Both;
use super::generator::Place;

/// Copies an image; skopeo checks what it reads by its own rules.
fn copy(skopeo: &Path, words: &[&str], from: &str, to: &str) {
    let mut command = Command::new(skopeo);
    command.args(["--insecure-policy", "copy", "--quiet"]).args(words).args([from, to]);
    Verdict::of(&mut command).expect_ok(&format!("{from} {to}"));
}

#[test]
fn what_skopeo_copies_is_what_it_was() {
    let Some(skopeo) = tool("skopeo", "apt-get install skopeo") else { return };
    let place = Place::new();
    let mut layout = place.layout("l");
    let images = [layout.image(&[0, 1], "linux/amd64"), layout.image(&[0], "linux/arm64")];
    let index = layout.index(&images.each_ref());
    layout.add(index, "one");
    let all = layout.done() + ":one";
    let words = ["--platform", "linux/amd64"];
    place.expect("ours", &words, &all, Both);
    let amd64 = ["--override-arch", "amd64", "--override-os", "linux"];
    let one = |to: &str| {
        let mut command = Command::new(&skopeo);
        command.args(amd64).args(["--insecure-policy", "copy", "--quiet", &all, to]);
        Verdict::of(&mut command).expect_ok(to);
    };
    let p = |name: &str| place.text(name);
    for (to, arg) in [
        (format!("oci:{}:h:50/a/x:1", p("oci")), format!("oci:{}:h:50/a/x:1", p("oci"))),
        (format!("dir:{}", p("dir")), format!("dir:{}", p("dir"))),
        (format!("oci-archive:{}:x:1", p("o.tar")), format!("oci-archive:{}:x:1", p("o.tar"))),
        (
            format!("docker-archive:{}:x:1", p("d.tar")),
            format!("docker-archive:{}:x:1", p("d.tar")),
        ),
        (format!("docker-archive:{}", p("n.tar")), format!("docker-archive:{}", p("n.tar"))),
    ] {
        if to.starts_with("dir:") {
            std::fs::create_dir_all(p("dir")).unwrap();
        }
        one(&to);
        place.expect(&to, &[], &arg, Both);
        place.expect(&to, &words, &arg, Both);
    }
    for name in ["all", "all.oci"] {
        std::fs::create_dir(place.path(name)).unwrap();
    }
    let (dir, oci) = (format!("dir:{}", p("all")), format!("oci:{}:x", p("all.oci")));
    for to in [&dir, &oci] {
        copy(&skopeo, &["--all"], &all, to);
        place.expect(to, &words, to, Both);
    }
    copy(&skopeo, &["--format", "v2s2", "--all"], &all, &format!("dir:{}", p("all")));
    place.expect("Docker's media types", &words, &dir, Both);
}
