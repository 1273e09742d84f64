//! Export over tars as they lie, and in partitions: the bytes are those of the plain disk.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::mount::{Erofs, LoopDevice};
use testkit::oracle::{self, Verdict};

use crate::modes::verify;
use crate::run::{Image, json, ok, run};

/// Runs an export of the small layers; its output and its report.
fn export(image: &Image, name: &str, args: &[&str]) -> (PathBuf, Value) {
    let out = image.path(name);
    let args = [&["export", "--json", "-o", out.to_str().unwrap()], args].concat();
    let report = json(&ok(image.over_tars(&args))).remove(0);
    (out, report)
}

/// The bytes of a disk as QEMU has them.
pub(crate) fn through_qemu(disk: &Path) -> Option<Vec<u8>> {
    let qemu_img = oracle::tool("qemu-img", "apt-get install qemu-utils")?;
    let raw = disk.with_extension("raw");
    let args = ["convert", "-f", "vmdk", "-O", "raw"];
    Verdict::of(Command::new(qemu_img).args(args).args([disk, &raw])).expect_ok("qemu-img convert");
    Some(fs::read(raw).unwrap())
}

/// Runs a script with a `dmsetup` that puts a device together with `dd`, and keeps what else it is
/// told; answers the bytes of the device and those words.
pub(crate) fn through_dd(script: &Path) -> (Vec<u8>, String) {
    const DMSETUP: &str = r#"#!/bin/sh
set -e
[ "$*" != mknodes ] || exit 0
echo "$*" >>"$TARFS_TEST/words"
case $* in *--table*) exit ;; esac
while read -r start count kind device from; do
  case $kind in
  zero) device=/dev/zero from=0 ;;
  linear) [ -b "$device" ] ;;
  *) exit 1 ;;
  esac
  dd if="$device" of="$TARFS_TEST/device" bs=512 skip="$from" seek="$start" count="$count" \
    conv=notrunc status=none
done
"#;
    let dir = tempfile::tempdir().unwrap();
    let stub = dir.path().join("dmsetup");
    fs::write(&stub, DMSETUP).unwrap();
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.arg(script).arg("test").env("PATH", path).env("TARFS_TEST", dir.path());
    Verdict::of(&mut command).expect_ok("the script");
    let bytes = fs::read(dir.path().join("device")).unwrap();
    // No loop device is left behind, as soon as others that look at all of them are done.
    let dir_of_script = script.parent().unwrap().to_str().unwrap();
    for round in 0.. {
        let mut losetup = Command::new("losetup");
        losetup.args(["--list", "--noheadings", "--output", "BACK-FILE"]);
        let used = Verdict::of(&mut losetup).output;
        if !used.contains(dir_of_script) {
            break;
        }
        assert!(round < 100, "{used}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    (bytes, fs::read_to_string(dir.path().join("words")).unwrap())
}

#[test]
fn a_disk_over_tars_is_the_disk_that_is_written() {
    let image = Image::new();
    for placement in [&["metadata-first", "--align", "64k"][..], &["data-first"]] {
        for mode in ["image_block", "image_block_with_verity"] {
            let args = [&["--mode", mode, "--placement"], placement].concat();
            let (disk, plain) = export(&image, "plain", &args);
            let expected = fs::read(&disk).unwrap();
            let copied = plain["copied"].as_object().unwrap();
            let copied: u64 = copied.values().map(|n| n.as_u64().unwrap()).sum();
            let devices = plain["devices"].as_array().unwrap();
            let blocks: u64 = devices.iter().map(|device| device["blocks"].as_u64().unwrap()).sum();
            assert_eq!(copied, blocks * 512);

            let (vmdk, report) =
                export(&image, "disk.vmdk", &[&args[..], &["--form", "vmdk"]].concat());
            assert_eq!(report["form"], "vmdk");
            assert_eq!(report["files"][0], "disk.vmdk.metadata");
            assert_eq!(report["size"], expected.len());
            assert_eq!(report["devices"], plain["devices"]);
            assert_eq!(report["verity"]["root_hash"], plain["verity"]["root_hash"]);
            assert!(fs::metadata(&vmdk).unwrap().len() < 2000);
            if let Some(bytes) = through_qemu(&vmdk) {
                assert!(bytes == expected, "{mode} {placement:?}");
            }

            let args = [&args[..], &["--form", "dm-linear"]].concat();
            let (script, report) = export(&image, "disk.sh", &args);
            assert_eq!(report["form"], "dm-linear");
            let (bytes, words) = through_dd(&script);
            assert!(bytes == expected, "{mode} {placement:?}");
            match report["verity"]["root_hash"].as_str() {
                None => assert_eq!(words, "create --readonly test\n"),
                Some(root) => {
                    let (lower, upper) = words.split_once('\n').unwrap();
                    assert_eq!(lower, "create --readonly test-data");
                    let start = "create --readonly test --table 0 ";
                    assert!(upper.starts_with(start), "{words}");
                    let devices = " verity 1 /dev/mapper/test-data /dev/mapper/test-data ";
                    assert!(upper.contains(devices) && upper.contains(root), "{words}");
                }
            }
        }
    }
}

#[test]
fn layers_are_partitions_of_one_disk() {
    let image = Image::new();
    for mode in ["layer_block", "layer_block_with_verity"] {
        let args = ["--mode", mode, "--gpt"];
        let (disk, report) = export(&image, "disk", &args);
        let bytes = fs::read(&disk).unwrap();
        assert_eq!(report["size"], bytes.len());
        let partitions = report["partitions"].as_array().unwrap();
        assert_eq!(partitions.len(), image.tars.len());
        for (index, partition) in partitions.iter().enumerate() {
            assert_eq!(partition["number"], index + 1);
            let (offset, size) = (&partition["offset"], &partition["disk"]["size"]);
            let range = [format!("--offset={offset}"), format!("--sizelimit={size}")];
            let device = LoopDevice::with(&disk, &["--read-only", &range[0], &range[1]]).unwrap();
            image.expect_layer(index, &Erofs::new(device.path()).mount().unwrap());
            match mode {
                "layer_block" => assert_eq!(partition["disk"]["verity"], Value::Null),
                _ => verify(device.path(), device.path(), &partition["disk"]["verity"]),
            }
        }
        if let Some(sgdisk) = oracle::tool("sgdisk", "apt-get install gdisk") {
            let verdict = Verdict::of(Command::new(sgdisk).arg("--verify").arg(&disk));
            verdict.expect_ok("sgdisk");
            assert!(verdict.output.contains("No problems found"), "{}", verdict.output);
        }
        let vmdk = export(&image, "disk.vmdk", &[&args[..], &["--form", "vmdk"]].concat()).0;
        if let Some(found) = through_qemu(&vmdk) {
            assert!(found == bytes);
        }
        let script = export(&image, "disk.sh", &[&args[..], &["--form", "dm-linear"]].concat()).0;
        assert!(through_dd(&script).0 == bytes);
    }
}

#[test]
fn each_layer_over_its_tar() {
    let image = Image::new();
    let args = ["--mode", "layer_block", "--form", "vmdk"];
    let dir = export(&image, "disks", &args).0;
    let plain = export(&image, "plain", &["--mode", "layer_block"]).0;
    let mut seen = 0;
    for entry in fs::read_dir(&plain).unwrap() {
        let disk = entry.unwrap().path();
        let vmdk = dir.join(disk.file_stem().unwrap()).with_extension("vmdk");
        // The tars are elsewhere, so they are named from the root on.
        let text = fs::read_to_string(&vmdk).unwrap();
        let real = fs::canonicalize(image.dir.path()).unwrap();
        assert!(text.contains(".metadata\" 0\n"), "{text}");
        if text.contains(".tar\"") {
            assert!(text.contains(&format!("\"{}/", real.display())), "{text}");
        }
        if let Some(bytes) = through_qemu(&vmdk) {
            assert!(bytes == fs::read(&disk).unwrap(), "{disk:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, image.tars.len());
}

#[test]
fn compressed_layers_leave_their_tars_beside_the_output() {
    let image = Image::new();
    let mut packed = Vec::new();
    for (index, layer) in image.stack.layers.iter().enumerate() {
        let path = image.path(&format!("{index}.tar.zst"));
        fs::write(&path, zstd::encode_all(&layer.tar[..], 1).unwrap()).unwrap();
        packed.push(path);
    }
    let out = image.path("out");
    fs::create_dir(&out).unwrap();
    let vmdk = out.join("disk.vmdk");
    let args = ["export", "--json", "--mode", "image_block", "--form", "vmdk", "-o"];
    let args = args.iter().map(OsStr::new).chain([vmdk.as_os_str()]);
    let report = json(&ok(args.chain(packed.iter().map(|path| path.as_os_str())))).remove(0);
    let files = report["files"].as_array().unwrap();
    let tags = report["devices"].as_array().unwrap().iter().map(|device| &device["tag"]);
    assert_eq!(files[1..].iter().collect::<Vec<_>>(), tags.collect::<Vec<_>>());
    let plain = export(&image, "plain", &["--mode", "image_block"]).0;
    if let Some(bytes) = through_qemu(&vmdk) {
        assert!(bytes == fs::read(plain).unwrap());
    }
}

#[test]
fn odd_names_in_scripts() {
    let image = Image::new();
    let dir = image.path("it's a $dir");
    fs::create_dir(&dir).unwrap();
    let tar = dir.join("-a b`.tar");
    fs::copy(&image.tars[0], &tar).unwrap();
    let (script, plain) = (dir.join("-o.sh"), image.path("plain"));
    for (form, out) in [("dm-linear", &script), ("raw", &plain)] {
        let args = ["export", "--mode", "layer_block", "--form", form, "-o"];
        let args = args.iter().map(OsStr::new).chain([out.as_os_str(), tar.as_os_str()]);
        ok(args);
    }
    assert!(through_dd(&script).0 == fs::read(&plain).unwrap());
}

#[test]
fn what_cannot_be_said_leaves_nothing() {
    let image = Image::new();
    let dir = image.path("dir");
    fs::create_dir(&dir).unwrap();
    let fails = |code: i32, args: &[&str], tar: &Path, says: &str| {
        let before = fs::read_dir(&dir).unwrap().count();
        let out = dir.join("out");
        let args = [&["export", "-o", out.to_str().unwrap()], args].concat();
        let ran = run(args.iter().map(OsStr::new).chain([tar.as_os_str()]));
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), before, "something was left");
    };
    let tar = &image.tars[0];
    for form in [&["--form", "vmdk"][..], &["--form", "dm-linear"], &["--gpt"]] {
        for mode in ["image_verity_only", "layer_verity_only"] {
            fails(2, &[form, &["--mode", mode]].concat(), tar, "no disk");
        }
    }
    let vmdk = ["--mode", "image_block", "--form", "vmdk"];
    let quote = dir.join("a\"b.tar");
    fs::copy(tar, &quote).unwrap();
    fails(1, &vmdk, &quote, "double quote");
    let metadata = dir.join("out.metadata");
    fs::copy(tar, &metadata).unwrap();
    fails(2, &vmdk, &metadata, "out.metadata: is an input and the output");
    fs::remove_file(&metadata).unwrap();
    // The last sector of such a file is out of a loop device's reach.
    let odd = dir.join("odd.tar");
    fs::write(&odd, [&fs::read(tar).unwrap()[..], &[0]].concat()).unwrap();
    for form in ["vmdk", "dm-linear"] {
        fails(1, &["--mode", "image_block", "--form", form], &odd, "odd.tar: ");
    }
    fails(1, &["--mode", "layer_block", "--gpt"], &dir.join("none"), "none");
}
