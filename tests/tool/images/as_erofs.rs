//! `tarfs oci`: images of tars and one EROFS over them, put together as the draft specification says.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use testkit::mount::{Erofs, Mounted};
use testkit::oracle::{Verdict, tool};
use testkit::program;
use testkit::stacks::Layer;

use super::generator::{CONFIG, LAYER, MANIFEST, Place, REF_NAME};
use crate::run::{Image, digest, json, ok, run};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The small layers, one of them twice, and an empty one; compressed in several ways.
fn image(place: &Place) -> (Image, String) {
    let mut image = Image::new();
    image.stack.layers.push(image.stack.layers[1].clone());
    image.stack.layers.insert(2, Layer::plain(Vec::new()));
    let mut layout = place.layout("in");
    let tars = image.stack.layers.iter().map(|layer| &layer.tar[..]);
    let layers = tars.clone().enumerate().map(|(number, tar)| match number % 3 {
        0 => layout.blob(tar, LAYER),
        1 => layout.blob(gzip(tar), &format!("{LAYER}+gzip")),
        // Docker's media type, and that of another compression than it has.
        _ => layout.blob(
            zstd::encode_all(tar, 3).unwrap(),
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
    });
    let layers: Vec<_> = layers.collect();
    let ids: Vec<_> = tars.map(|tar| format!("sha256:{}", digest(tar))).collect();
    let history = json!([{"created_by": "one"}, {"created_by": "two", "empty_layer": true}]);
    let config = json!({
        "architecture": "amd64", "os": "linux", "os.features": ["x"],
        "config": {"Entrypoint": ["/bin/sh"], "Env": ["A=b"]},
        "rootfs": {"type": "layers", "diff_ids": ids}, "history": history,
    });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": layout.json(&config, CONFIG),
        "layers": layers, "annotations": {"org.opencontainers.image.source": "here"},
    });
    let manifest = layout.json(&manifest, MANIFEST);
    layout.add(manifest, "app");
    let arg = layout.done() + ":app";
    (image, arg)
}

/// A blob whose digest and size are those of its descriptor.
fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let hex = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let bytes = fs::read(layout.join("blobs/sha256").join(hex)).unwrap();
    assert_eq!(
        (digest(&bytes), bytes.len() as u64),
        (hex.to_owned(), descriptor["size"].as_u64().unwrap())
    );
    bytes
}

fn document(layout: &Path, descriptor: &Value) -> Value {
    serde_json::from_slice(&blob(layout, descriptor)).unwrap()
}

/// Index entry, manifest and configuration of the image of a name.
fn documents(layout: &Path, name: &str) -> (Value, Value, Value) {
    let index: Value =
        serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let named = |entry: &&Value| entry["annotations"][REF_NAME] == name;
    let mut fitting = index["manifests"].as_array().unwrap().iter().filter(named);
    let entry = fitting.next().unwrap().clone();
    assert!(fitting.next().is_none());
    let manifest = document(layout, &entry);
    let config = document(layout, &manifest["config"]);
    (entry, manifest, config)
}

/// Puts an image together by sections 3.8, 5 and 7 of the draft, and mounts it.
fn composed(layout: &Path, name: &str, scratch: &Path) -> Mounted {
    let (entry, manifest, config) = documents(layout, name);
    for features in [&entry["platform"]["os.features"], &config["os.features"]] {
        assert!(features.as_array().unwrap().contains(&json!("erofs")), "{features}");
    }
    let layers = manifest["layers"].as_array().unwrap();
    let ids = config["rootfs"]["diff_ids"].as_array().unwrap();
    assert_eq!(layers.len(), ids.len());
    let (last, devices) = layers.split_last().unwrap();
    assert_eq!(last["mediaType"], "application/vnd.erofs");
    assert_eq!(
        (&last["annotations"]["org.erofs.role"], &last["digest"]),
        (&Value::Null, ids.last().unwrap())
    );
    let mut paths: Vec<PathBuf> = Vec::new();
    for (number, (device, id)) in devices.iter().zip(ids).enumerate() {
        assert_eq!(device["annotations"]["org.erofs.role"], "device");
        let bytes = blob(layout, device);
        let (bytes, packed) = match device["mediaType"].as_str().unwrap().split_once('+') {
            None => (bytes, false),
            Some((_, "gzip")) => {
                let mut unpacked = Vec::new();
                GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
                (unpacked, true)
            }
            Some((_, "zstd")) => (zstd::decode_all(&bytes[..]).unwrap(), true),
            Some(other) => panic!("{other:?}"),
        };
        assert_eq!(format!("sha256:{}", digest(&bytes)), id.as_str().unwrap());
        let said = &device["annotations"]["org.erofs.uncompressed-digest"];
        assert_eq!(*said, if packed { id.clone() } else { Value::Null });
        paths.push(scratch.join(format!("device{number}")));
        fs::write(&paths[number], bytes).unwrap();
    }
    let erofs = scratch.join("erofs");
    fs::write(&erofs, blob(layout, last)).unwrap();
    // Section 8.1, 12: each slot has the digest of its blob as its tag.
    let seen = &json(&ok(["inspect".as_ref(), "--json".as_ref(), erofs.as_os_str()]))[0];
    let tags: Vec<_> =
        seen["devices"].as_array().unwrap().iter().map(|slot| slot["tag"].clone()).collect();
    let hex =
        devices.iter().map(|device| json!(device["digest"].as_str().unwrap()["sha256:".len()..]));
    assert_eq!(tags, hex.collect::<Vec<_>>());
    Erofs::new(&erofs).devices(&paths).mount().unwrap()
}

fn scratch(place: &Place, name: &str) -> PathBuf {
    let dir = place.path(name);
    fs::create_dir(&dir).unwrap();
    dir
}

#[test]
fn what_the_draft_composes_is_what_overlayfs_shows() {
    let place = Place::new();
    let (image, arg) = image(&place);
    let out = place.path("out");
    let said = ok(["oci", "--json", &format!("{}:a/b:1", out.display()), &arg]);
    image.expect_merged(&composed(&out, "a/b:1", &scratch(&place, "s")));
    let (entry, manifest, config) = documents(&out, "a/b:1");
    assert_eq!(json(&said)[0]["manifest"], entry["digest"]);
    assert_eq!(json(&said)[0]["devices"].as_array().unwrap().len(), 6);
    // What it runs, and what is said of it, is as it was.
    assert_eq!(config["config"], json!({"Entrypoint": ["/bin/sh"], "Env": ["A=b"]}));
    assert_eq!(config["os.features"], json!(["x", "erofs"]));
    assert_eq!(config["history"].as_array().unwrap().len(), 3);
    assert_eq!(manifest["annotations"]["org.opencontainers.image.source"], "here");
    assert_eq!(
        fs::read_to_string(out.join("oci-layout")).unwrap(),
        r#"{"imageLayoutVersion":"1.0.0"}"#
    );
}

#[test]
fn an_image_beside_the_one_it_is_made_of() {
    let place = Place::new();
    let (image, arg) = image(&place);
    let layout = place.path("in");
    let blobs = || fs::read_dir(layout.join("blobs/sha256")).unwrap().count();
    let before = blobs();
    let out = format!("oci:{}:erofs", layout.display());
    ok(["oci", &out, &arg]);
    // The EROFS, a configuration and a manifest are new, and no tar.
    assert_eq!(blobs(), before + 3);
    let index = fs::read(layout.join("index.json")).unwrap();
    image.expect_merged(&composed(&layout, "erofs", &scratch(&place, "s")));
    documents(&layout, "app");
    ok(["oci", &out, &arg]);
    assert_eq!((blobs(), fs::read(layout.join("index.json")).unwrap()), (before + 3, index));
}

#[test]
fn skopeo_takes_it_there_and_back() {
    let Some(skopeo) = tool("skopeo", "apt-get install skopeo") else { return };
    let place = Place::new();
    let (_image, arg) = image(&place);
    let out = place.path("out");
    ok(["oci", &format!("{}:x", out.display()), &arg]);
    let away = format!("dir:{}", scratch(&place, "dir").display());
    let back = format!("oci:{}:y", place.path("back").display());
    for (from, to) in [(format!("oci:{}:x", out.display()), &away), (away.clone(), &back)] {
        let mut command = Command::new(&skopeo);
        command.args(["--insecure-policy", "copy", "--quiet", "--preserve-digests", &from, to]);
        Verdict::of(&mut command).expect_ok(&format!("{from} {to}"));
    }
    let (there, here) = (documents(&out, "x"), documents(&place.path("back"), "y"));
    assert_eq!(there.0["digest"], here.0["digest"]);
    assert_eq!((there.1, there.2), (here.1, here.2));
}

#[test]
fn archives_and_directories_come_to_the_same() {
    let place = Place::new();
    let mut layout = place.layout("in");
    let both = layout.both();
    layout.add(both, "app");
    let arg = layout.done();
    let archive = format!("oci-archive:{}", place.write("in.tar", gzip(&layout.archive())));
    let made = |name: &str, arg: &str| {
        let out = place.path(name);
        ok(["oci", out.to_str().unwrap(), arg]);
        fs::read(out.join("index.json")).unwrap()
    };
    assert_eq!(made("one", &arg), made("two", &archive));
}

/// A run that was killed leaves empty directories; `umoci init` writes null for an empty list.
#[test]
fn layouts_without_an_image() {
    let place = Place::new();
    let (_image, arg) = image(&place);
    let killed = scratch(&place, "killed");
    fs::create_dir_all(killed.join("blobs/sha256")).unwrap();
    let null = scratch(&place, "null");
    fs::write(null.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(null.join("index.json"), r#"{"schemaVersion":2,"manifests":null}"#).unwrap();
    for out in [killed, null] {
        ok(["oci", &format!("{}:x", out.display()), &arg]);
        documents(&out, "x");
    }
    let other = scratch(&place, "other");
    fs::create_dir_all(other.join("blobs/sha256/x")).unwrap();
    let ran = run(["oci", other.to_str().unwrap(), &arg]);
    assert!(ran.code == 1 && ran.stderr.contains("is no OCI image layout"), "{}", ran.stderr);
}

/// Each would write the index that it has read, and its own image: the last one would be alone in it.
#[test]
fn two_runs_at_once_are_both_in_the_index() {
    let place = Place::new();
    let (_image, arg) = image(&place);
    let out = place.path("out");
    let names: Vec<_> = (0..8).map(|number| format!("x{number}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let words = ["oci".to_owned(), format!("{}:{name}", out.display()), arg.clone()];
            scope.spawn(move || ok(words));
        }
    });
    names.iter().for_each(|name| drop(documents(&out, name)));
}

#[test]
fn nothing_is_left_of_what_fails() {
    let place = Place::new();
    let (_image, arg) = image(&place);
    let refused = |out: &str, arg: &str, code: i32, why: &str| {
        let ran = run(["oci", out, arg]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    };
    let out = place.text("out");
    refused(&out, &place.text("0.tar"), 2, "is no image");
    refused(&format!("{out}:@1"), &arg, 2, "no digest or number");
    refused("", &arg, 2, "a directory is needed");
    refused(&out, &format!("{arg}x"), 1, "has no image");
    refused(&out, "docker-archive:x", 1, "has no manifest");
    refused(place.dir.path().to_str().unwrap(), &arg, 1, "is no OCI image layout");
    assert_eq!(run(["oci", "--tars", "x", &out, &arg]).code, 2);
    // A tar that ends within a sector, with a file in that.
    let mut tar = place.tars[0].clone();
    tar.truncate(tar.len() - 1024 - 500);
    let mut layout = place.layout("odd");
    let odd = layout.edited(&[(&tar, &tar)], |_| {}, |_| {});
    layout.add(odd, "");
    refused(&out, &layout.done(), 1, "whole sector");
    // Layers in compressions that the tool reads, but images have no media type for. As the layers of another
    // disk they are like others.
    for name in ["xz", "bzip2"] {
        let tar = &place.tars[0][..];
        let packed = program::piped(name, &["-c"], tar);
        let mut layout = place.layout("packed");
        let image = layout.edited(&[(&packed, tar)], |_| {}, |_| {});
        layout.add(image, "");
        let image = layout.done();
        let blob = format!("/blobs/sha256/{}", digest(&packed));
        let why = format!("{blob}: is compressed by {name}, for which images have no media type");
        refused(&out, &image, 1, &why);
        assert!(ok(["root", &image]).len() == 65);
    }
    // A blob with another byte.
    let blobs = place.path("in/blobs/sha256");
    for entry in fs::read_dir(&blobs).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        if bytes.len() > 2000 {
            bytes[1000] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
    }
    refused(&out, &arg, 1, "does not have its digest");
    assert!(!place.path("out").exists());
    let before = fs::read_dir(&blobs).unwrap().count();
    refused(&place.text("in"), &arg, 1, "does not have its digest");
    assert_eq!(fs::read_dir(&blobs).unwrap().count(), before);
}

#[test]
fn a_blob_that_is_there_is_looked_at() {
    let place = Place::new();
    let (_image, arg) = image(&place);
    let out = place.text("out");
    ok(["oci", &out, &arg]);
    let index = fs::read(Path::new(&out).join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let manifest = document(Path::new(&out), &index["manifests"][0]);
    let last = manifest["layers"].as_array().unwrap().last().unwrap().clone();
    let hex = last["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    let path = Path::new(&out).join("blobs/sha256").join(hex);
    let right = fs::read(&path).unwrap();
    fs::write(&path, vec![7; right.len()]).unwrap();
    let ran = run(["oci", &out, &arg]);
    assert!(ran.code == 1 && ran.stderr.contains("is there, and has the digest"), "{}", ran.stderr);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let ran = run(["oci", &out, &arg]);
    assert!(ran.code == 1 && ran.stderr.contains("not a regular file"), "{}", ran.stderr);
    fs::remove_dir(&path).unwrap();
    ok(["oci", &out, &arg]);
    assert_eq!(fs::read(&path).unwrap(), right);
    for other in ["dir:x", "oci-archive:x", "docker-archive:x", "docker://x"] {
        assert_eq!(run(["oci", other, &arg]).code, 2, "{other}");
    }
}
