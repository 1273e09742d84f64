//! OCI layouts in tars, and the directories of `skopeo copy … dir:`.

use std::fs;

use flate2::Compression;
use flate2::read::GzEncoder;
use std::io::Read;

use super::generator::Expected::{Both, Error, Layers};
use super::generator::Place;

#[test]
fn oci_archives_plain_and_compressed() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let (lower, both) = (layout.image(&[0], "linux/arm64"), layout.image(&[0, 1], "linux/amd64"));
    let index = layout.index(&[&lower, &both]);
    layout.add(index, "localhost/x:1");
    layout.done();
    let tar = layout.archive();
    let mut gz = Vec::new();
    GzEncoder::new(&tar[..], Compression::fast()).read_to_end(&mut gz).unwrap();
    for (name, bytes) in [("oci.tar", tar.clone()), ("oci.tgz", gz)] {
        let file = place.write(name, &bytes);
        let words = ["--platform", "linux/amd64"];
        place.expect(name, &words, &format!("oci-archive:{file}"), Both);
        place.expect(name, &words, &format!("oci-archive:{file}:localhost/x:1"), Both);
        place.expect(name, &words, &format!("oci-archive:{file}:@0"), Both);
        let digest = lower["digest"].as_str().unwrap();
        place.expect(name, &[], &format!("oci-archive:{file}@{digest}"), Layers(&[0]));
        let none = Error(&["no image \"y\", only \"localhost/x:1\""]);
        place.expect(name, &words, &format!("oci-archive:{file}:y"), none);
    }
    // A byte of a layer.
    let mut bad = tar.clone();
    let at = bad.windows(3).position(|bytes| bytes == b"one").unwrap();
    bad[at] ^= 1;
    let file = place.write("bad.tar", bad);
    let wrong = Error(&["bad.tar/blobs/sha256/", "does not have its digest"]);
    place.expect("bad", &["--platform", "linux/amd64"], &format!("oci-archive:{file}"), wrong);
}

#[test]
fn what_was_meant_is_said() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let image = layout.both();
    layout.add(image, "latest");
    let arg = layout.done();
    let dir = arg.strip_prefix("oci:").unwrap();
    place.expect("a layout", &[], dir, Error(&["is a directory; the image in it is oci:"]));
    let oci = place.write("oci.tar", layout.archive());
    let hint = Error(&["oci-archive:FILE may be meant"]);
    place.expect("an OCI archive", &[], &format!("docker-archive:{oci}"), hint);
    place.expect("a layout", &[], &format!("dir:{dir}"), Error(&["oci:DIR may be meant"]));
    for prefix in ["oci", "dir", "oci-archive", "docker-archive"] {
        let none = format!("{prefix}:{}", place.text("no such"));
        place.expect(prefix, &[], &none, Error(&["no such", "No such file or directory"]));
    }
    let none = place.write("none.tar", [0; 1024]);
    let no = Error(&["none.tar: has no index.json"]);
    place.expect("nothing", &[], &format!("oci-archive:{none}"), no);
}

#[test]
fn directories_of_blobs() {
    let place = Place::new();
    let layout = place.layout("l");
    let (lower, both) = (layout.image(&[0], "linux/arm64"), layout.image(&[0, 1], "linux/amd64"));
    let index = layout.index(&[&lower, &both]);
    let hex = |of: &serde_json::Value| of["digest"].as_str().unwrap()["sha256:".len()..].to_owned();
    let blobs = layout.dir.join("blobs/sha256");
    let words = ["--platform", "linux/amd64"];
    for (what, top) in [("one platform", &both), ("all platforms", &index)] {
        let dir = place.path("d");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        for blob in fs::read_dir(&blobs).unwrap() {
            let blob = blob.unwrap();
            fs::copy(blob.path(), dir.join(blob.file_name())).unwrap();
        }
        for manifest in [&lower, &both] {
            let name = hex(manifest);
            fs::rename(dir.join(&name), dir.join(name + ".manifest.json")).unwrap();
        }
        fs::copy(blobs.join(hex(top)), dir.join("manifest.json")).unwrap();
        fs::write(dir.join("version"), "Directory Transport Version: 1.1\n").unwrap();
        place.expect(what, &words, &format!("dir:{}", dir.display()), Both);
    }
    let dir = place.text("d");
    place.expect("other", &["--platform", "linux/arm64"], &format!("dir:{dir}"), Layers(&[0]));
    place.expect("no prefix", &[], &dir, Error(&["the image in it is dir:"]));
}
