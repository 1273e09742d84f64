//! Block devices are read as files are: disks on them, partitions of them, tars.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::mount::LoopDevice;
use testkit::oracle::{self, Verdict};

use crate::run::{Image, Place, json, ok, run};

/// A loop device over a file of an image's.
fn device(image: &Image, name: &str) -> (LoopDevice, String) {
    let device = LoopDevice::new(image.path(name)).unwrap();
    let path = device.path().to_str().unwrap().to_owned();
    (device, path)
}

/// The file of a loop device is read, and is no output.
#[test]
fn what_a_loop_device_is_of_is_no_output() {
    let image = Image::new();
    let tar = image.tars[0].to_str().unwrap();
    let before = std::fs::read(tar).unwrap();
    let device = LoopDevice::new(tar).unwrap();
    let ran = run(["layer", "--disk", "-o", tar, device.path().to_str().unwrap()]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(std::fs::read(tar).unwrap() == before);
}

#[test]
fn a_disk_on_a_device_is_read() {
    let image = Image::new();
    let (file, tars) = (image.path("disk").to_str().unwrap().to_owned(), &image.tars);
    let args = ["export", "--json", "--mode", "image_block_with_verity", "-o", &file];
    let report = json(&ok(image.over_tars(&args))).remove(0);
    let root = report["verity"]["root_hash"].as_str().unwrap();
    let (_device, path) = device(&image, "disk");

    for args in [
        &["ls", "-l", "IMAGE"][..],
        &["stat", "IMAGE", "/"],
        &["inspect", "IMAGE"],
        &["check", "--strict", "--root", root, "IMAGE"],
        &["check", "--quick", "IMAGE"],
        &["mount-args", "IMAGE"],
        &["mount-args", "--root", root, "IMAGE"],
        &["verity", "verify", "IMAGE", root],
    ] {
        let of = |name: &str| {
            let args = args.iter().map(|arg| if *arg == "IMAGE" { name } else { arg });
            ok(args.collect::<Vec<_>>()).replace(name, "IMAGE")
        };
        assert_eq!(of(&path), of(&file), "{args:?}");
    }
    let tars: Vec<&str> = tars.iter().map(|tar| tar.to_str().unwrap()).collect();
    ok([&["check", "--against"], &tars[..], &[&path]].concat());
    fails(&["verity", "verify", &path, &"1".repeat(64)], "does not match");

    // As a layer, merged and exported; its tree is believed too.
    let sealed = format!("{path}={root}");
    let out = |name: &str| image.path(name).to_str().unwrap().to_owned();
    for (name, input, sealed) in [("1", &file, format!("{file}={root}")), ("2", &path, sealed)] {
        let args = ["export", "--mode", "image_block_with_verity", "--sealed", &sealed, "-o"];
        ok([&args[..], &[&out(name), input]].concat());
        ok(["merge", "-o", &out(&format!("{name}.erofs")), input]);
    }
    assert!(fs::read(out("1")).unwrap() == fs::read(out("2")).unwrap());
    assert!(fs::read(out("1.erofs")).unwrap() == fs::read(out("2.erofs")).unwrap());
}

#[track_caller]
fn fails(args: &[&str], says: &str) {
    let ran = run(args);
    assert_eq!(ran.code, 1, "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
}

#[test]
fn partitions_of_a_device() {
    let image = Image::new();
    let file = image.path("disk").to_str().unwrap().to_owned();
    ok(image.over_tars(&["export", "--mode", "layer_block", "--gpt", "-o", &file]));
    let (_device, path) = device(&image, "disk");
    assert_eq!(ok(["check", &path]).replace(&path, &file), ok(["check", &file]));
    assert_eq!(ok(["ls", &format!("{path}:1")]), ok(["ls", &format!("{file}:1")]));
    // The kernel's own device of a partition.
    let scanned = LoopDevice::with(&file, &["--read-only", "--partscan"]).unwrap();
    let own = PathBuf::from(format!("{}p2", scanned.path().display()));
    if let Some(partx) = oracle::tool("partx", "apt-get install util-linux") {
        let update = ["--update".as_ref(), scanned.path().as_os_str()];
        Verdict::of(std::process::Command::new(partx).args(update)).expect_ok("partx");
        let own = own.to_str().unwrap();
        assert_eq!(ok(["ls", own]), ok(["ls", &format!("{file}:2")]));
    }
}

#[test]
fn layers_that_are_tars_on_devices() {
    let image = Image::new();
    let devices: Vec<_> = image.tars.iter().map(|tar| LoopDevice::new(tar).unwrap()).collect();
    let paths: Vec<&str> = devices.iter().map(|device| device.path().to_str().unwrap()).collect();
    let out = |name: &str| image.path(name).to_str().unwrap().to_owned();
    ok([&["merge", "-o", &out("1")], &paths[..]].concat());
    ok(image.over_tars(&["merge", "-o", &out("2")]));
    assert!(fs::read(out("1")).unwrap() == fs::read(out("2")).unwrap());
    // They are found by their tags, and named in the commands.
    let report = json(&ok(["inspect", "--json", &out("1")])).remove(0);
    let dir = image.path("tars");
    fs::create_dir(&dir).unwrap();
    for device in report["devices"].as_array().unwrap() {
        let tag = device["tag"].as_str().unwrap();
        let is_it = |tar: &&PathBuf| crate::run::digest(&fs::read(tar).unwrap()) == tag;
        let index = image.tars.iter().position(|tar| is_it(&tar)).unwrap();
        std::os::unix::fs::symlink(paths[index], dir.join(tag)).unwrap();
    }
    let dir = dir.to_str().unwrap();
    let checked = ok(["check", "--tars", dir, &out("1")]);
    assert!(checked.contains("tars by their SHA-256"), "{checked}");
    let script = ok(["mount-args", "--tars", dir, &out("1")]);
    assert!(script.contains(&format!("losetup --find --show --read-only {dir}/")), "{script}");
}

#[test]
fn a_device_is_sealed_into_a_file() {
    let image = Image::new();
    let place = Place::new();
    let file = image.path("disk").to_str().unwrap().to_owned();
    ok(image.over_tars(&["export", "--mode", "image_block", "-o", &file]));
    let (_device, path) = device(&image, "disk");
    let tree = |name: &str, data: &str| {
        let out = place.text(name);
        let report = ok(["verity", "format", "--json", "--hash", &out, data]);
        let root = json(&report)[0]["root_hash"].as_str().unwrap().to_owned();
        ok(["verity", "verify", "--hash", &out, data, &root]);
        (fs::read(&out).unwrap(), root)
    };
    assert!(tree("1", &path) == tree("2", &file));
    let mapped = place.text("mapped");
    ok(["verity", "format", "--map", "--hash", &mapped, &path]);
    assert!(fs::read(&mapped).unwrap() == fs::read(place.text("1")).unwrap());
    fails(&["verity", "format", &path], "cannot grow by a hash tree: say --hash FILE");
    let none = "is neither a regular file nor a block device";
    fails(&["verity", "format", "--hash", &tree_path(&place), "/dev/null"], none);
    fails(&["ls", "/dev/null"], none);
    // No output takes the place of a device.
    fails(&["verity", "format", "--hash", &path, &file], "is not a regular file");
}

fn tree_path(place: &Place) -> String {
    let path = place.text("none");
    assert!(!Path::new(&path).exists());
    path
}
