//! `--gpt=dps`: disks that systemd finds the root or `/usr` partition of, and its hash tree.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::mount::{Erofs, LoopDevice};
use testkit::oracle::{self, Verdict};

use crate::run::{Image, Place, json, ok, run};

/// Where systemd's programs are: `.ci/debian-beside` brings them.
const SYSTEMD: &str = "TARFS_SYSTEMD";

/// What the machine's architecture is called in the specification.
const HERE: &str = match std::env::consts::ARCH.as_bytes() {
    b"x86_64" => "x86-64",
    b"aarch64" => "arm64",
    _ => std::env::consts::ARCH,
};

/// Runs an export of the small layers; its disk and its report.
fn export(image: &Image, name: &str, args: &[&str]) -> (PathBuf, Value) {
    let out = image.path(name);
    let args = [&["export", "--json", "-o", out.to_str().unwrap()], args].concat();
    let report = json(&ok(image.over_tars(&args))).remove(0);
    (out, report)
}

/// What `systemd-dissect` finds in a disk, or says that it does not.
fn dissect(program: &Path, disk: &Path, args: &[&str]) -> Result<Vec<Value>, String> {
    let mut command = Command::new(program);
    let output = command.arg("--json=short").args(args).arg(disk).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut found: Value = serde_json::from_slice(&output.stdout).unwrap();
    Ok(found["mounts"].as_array_mut().unwrap().drain(..).collect())
}

/// A digest of 64 digits as two UUIDs.
fn halves(root: &str) -> [String; 2] {
    let uuid = |half: &str| {
        let parts = [&half[..8], &half[8..12], &half[12..16], &half[16..20], &half[20..]];
        parts.join("-")
    };
    [uuid(&root[..32]), uuid(&root[32..])]
}

/// The type of partitions as systemd calls them, `root-arm64-verity`.
fn type_of(id128: &Path, name: &str) -> String {
    let verdict = Verdict::of(Command::new(id128).args(["show", "--uuid", "--value", name]));
    verdict.expect_ok("systemd-id128");
    verdict.output.trim().to_owned()
}

#[test]
fn systemd_finds_a_sealed_volume() {
    let image = Image::new();
    let sizes = ["--hash-block-size", "512", "--salt", "01ff"];
    for (types, volume, sizes) in [("dps", "root", &[][..]), ("dps-usr", "usr", &sizes)] {
        let gpt = format!("--gpt={types}");
        let args = [&["--mode", "image_block_with_verity", &gpt], sizes].concat();
        let (disk, report) = export(&image, &format!("{types}.raw"), &args);
        let partitions = report["partitions"].as_array().unwrap();
        let root = partitions[0]["disk"]["verity"]["root_hash"].as_str().unwrap();
        let labels = [format!("{volume}-{HERE}"), format!("{volume}-{HERE}-verity")];
        assert_eq!(partitions.len(), 2);
        for ((partition, label), half) in partitions.iter().zip(&labels).zip(halves(root)) {
            assert_eq!((&partition["name"], &partition["guid"]), (&label[..].into(), &half.into()));
        }
        for systemd in oracle::other_versions("systemd-dissect", SYSTEMD) {
            let id128 = systemd.with_file_name("systemd-id128");
            for (partition, label) in partitions.iter().zip(&labels) {
                assert_eq!(partition["type"], type_of(&id128, label), "{label}");
            }
            // It reads the root hash of an X.raw in X.roothash, or X.usrhash.
            let sidecar = disk.with_extension(format!("{volume}hash"));
            fs::write(&sidecar, root).unwrap();
            let found = dissect(&systemd, &disk, &[]).unwrap();
            assert_eq!(found.len(), 2, "{found:?}");
            for (index, (found, partition)) in found.iter().zip(partitions).enumerate() {
                let (designator, verity) = match index {
                    0 => (volume.to_owned(), "yes".into()),
                    _ => (format!("{volume}-verity"), Value::Null),
                };
                assert_eq!(found["designator"], designator);
                assert_eq!(found["verity"], verity, "{found}");
                assert_eq!(found["fstype"], ["erofs", "DM_verity_hash"][index]);
                assert_eq!(found["partition_uuid"], partition["guid"]);
                assert_eq!(found["partition_label"], partition["name"]);
                assert_eq!(found["architecture"], HERE);
                assert_eq!((&found["rw"], &found["growfs"]), (&"ro".into(), &false.into()));
            }
            // The UUIDs are what it believes the root hash by.
            fs::write(&sidecar, "1".repeat(64)).unwrap();
            let refused = dissect(&systemd, &disk, &["--validate"]).unwrap_err();
            assert!(refused.contains("for specified root hash found"), "{refused}");
        }
        tables(&disk, partitions);
        whole(&image, &disk, partitions, root);
    }
}

/// What `sfdisk` and `sgdisk` read.
fn tables(disk: &Path, partitions: &[Value]) {
    if let Some(sgdisk) = oracle::tool("sgdisk", "apt-get install gdisk") {
        let verdict = Verdict::of(Command::new(sgdisk).arg("--verify").arg(disk));
        assert!(verdict.ok && verdict.output.contains("No problems found"), "{}", verdict.output);
    }
    let Some(sfdisk) = oracle::tool("sfdisk", "apt-get install fdisk") else { return };
    let verdict = Verdict::of(Command::new(&sfdisk).arg("--verify").arg(disk));
    assert!(verdict.ok && verdict.output.contains("No errors detected"), "{}", verdict.output);
    let output = Command::new(&sfdisk).arg("--json").arg(disk).output().unwrap();
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let read = read["partitiontable"]["partitions"].as_array().unwrap();
    assert_eq!(read.len(), partitions.len());
    for (read, partition) in read.iter().zip(partitions) {
        let upper = |key: &str| partition[key].as_str().unwrap().to_uppercase();
        assert_eq!((&read["type"], &read["uuid"]), (&upper("type").into(), &upper("guid").into()));
        // Read-only; neither hidden from systemd nor to be grown.
        assert_eq!((&read["name"], &read["attrs"]), (&partition["name"], &"GUID:60".into()));
    }
}

/// Both partitions belong together, as whoever opens them reads the superblock; and the kernel shows the
/// layers.
fn whole(image: &Image, disk: &Path, partitions: &[Value], root: &str) {
    let device = |partition: &Value| {
        let (offset, size) = (&partition["offset"], &partition["size"]);
        let range = [format!("--offset={offset}"), format!("--sizelimit={size}")];
        LoopDevice::with(disk, &["--read-only", &range[0], &range[1]]).unwrap()
    };
    let [data, tree] = [0, 1].map(|index| device(&partitions[index]));
    image.expect_merged(&Erofs::new(data.path()).mount().unwrap());
    let Some(veritysetup) = oracle::tool("veritysetup", "apt-get install cryptsetup-bin") else {
        return;
    };
    let verify = |root: &str| {
        let devices = [data.path(), tree.path(), Path::new(root)];
        Verdict::of(Command::new(&veritysetup).arg("verify").args(devices))
    };
    verify(root).expect_ok("veritysetup verify");
    assert!(!verify(&"0".repeat(64)).ok);
}

/// Without partitions it is the root file system, and its tree may be a file of its own.
#[test]
fn systemd_finds_a_bare_disk() {
    let image = Image::new();
    let (disk, _) = export(&image, "disk", &["--mode", "image_block"]);
    let args = ["--mode", "image_verity_only", "--superblock"];
    let (tree, report) = export(&image, "tree", &args);
    let root = format!("--root-hash={}", report["verity"]["root_hash"].as_str().unwrap());
    let tree = format!("--verity-data={}", tree.to_str().unwrap());
    for systemd in oracle::other_versions("systemd-dissect", SYSTEMD) {
        for (args, verity) in [(&[][..], Value::Null), (&[&root, &tree][..], "external".into())] {
            let args: Vec<&str> = args.iter().map(|arg| arg.as_str()).collect();
            let found = dissect(&systemd, &disk, &args).unwrap();
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0]["designator"], "root");
            assert_eq!((&found[0]["fstype"], &found[0]["verity"]), (&"erofs".into(), &verity));
        }
    }
}

#[test]
fn every_form_has_the_same_bytes() {
    let image = Image::new();
    let args = ["--mode", "image_block_with_verity", "--gpt=dps"];
    let (disk, _) = export(&image, "disk", &args);
    let bytes = fs::read(&disk).unwrap();
    let (again, _) = export(&image, "again", &args);
    assert!(fs::read(again).unwrap() == bytes);
    let vmdk = export(&image, "disk.vmdk", &[&args[..], &["--form", "vmdk"]].concat()).0;
    if let Some(found) = crate::overlaid::through_qemu(&vmdk) {
        assert!(found == bytes);
    }
    let script = export(&image, "disk.sh", &[&args[..], &["--form", "dm-linear"]].concat()).0;
    assert!(crate::overlaid::through_dd(&script).0 == bytes);
}

#[test]
fn the_type_is_of_the_platform() {
    let image = Image::new();
    for (platform, name) in [
        ("linux/amd64", "x86-64"),
        ("linux/arm64", "arm64"),
        ("linux/arm/v7", "arm"),
        ("linux/386", "x86"),
        ("linux/riscv64", "riscv64"),
        ("linux/ppc64le", "ppc64-le"),
        ("linux/s390x", "s390x"),
        ("linux/loong64", "loongarch64"),
        ("linux/mips64le", "mips64-le"),
    ] {
        for (types, volume) in [("--gpt=dps", "root"), ("--gpt=dps-usr", "usr")] {
            let args = ["--mode", "image_block", types, "--platform", platform];
            let (_, report) = export(&image, "disk", &args);
            let partitions = report["partitions"].as_array().unwrap();
            let name = format!("{volume}-{name}");
            // Without a tree no half of a root hash is its UUID.
            assert_eq!((partitions.len(), &partitions[0]["name"]), (1, &name[..].into()));
            assert_eq!(partitions[0]["guid"].as_str().unwrap().as_bytes()[14], b'8');
            for systemd in oracle::other_versions("systemd-id128", SYSTEMD) {
                assert_eq!(partitions[0]["type"], type_of(&systemd, &name), "{name}");
            }
        }
    }
}

/// What is sealed in another partition is checked as what is sealed behind itself is.
#[test]
fn a_pair_is_held_to_its_tree() {
    let image = Image::new();
    let with = ["--mode", "image_block_with_verity"];
    let (disk, report) = export(&image, "image.raw", &[&with[..], &["--gpt=dps"]].concat());
    let disk = disk.to_str().unwrap();
    let root = report["partitions"][0]["disk"]["verity"]["root_hash"].as_str().unwrap();
    // By its number too, the tree that is its own is found.
    let one = format!("{disk}:1");
    for of in [disk, &one] {
        ok(["verity", "verify", of, root]);
        ok(["check", "--root", root, of]);
        assert!(ok(["mount-args", "--root", root, of]).contains("veritysetup open"));
    }
    let fails = |words: &[&str], code: i32, says: &str| {
        let ran = run(words);
        assert_eq!(ran.code, code, "{words:?}: {}{}", ran.stdout, ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(says), "{words:?}: {said}");
    };
    fails(&["verity", "verify", "--preset", "nydus", disk, root], 1, "other parameters");
    fails(&["mount-args", "--preset", "containerd", "--root", root, disk], 1, "other parameters");
    fails(&["mount-args", "--tars", "/", disk], 2, "--tars");
    fails(&["verity", "format", disk], 1, "has partitions");
    let bytes = fs::read(disk).unwrap();
    let hidden = image.path("image.raw:1");
    fails(
        &["layer", "-o", hidden.to_str().unwrap(), image.tars[0].to_str().unwrap()],
        2,
        "hides it",
    );
    assert!(fs::read(disk).unwrap() == bytes);
    // A data block of the volume, and its superblock's count of them, changed.
    let at = report["partitions"][0]["offset"].as_u64().unwrap() as usize;
    let tree = report["partitions"][1]["offset"].as_u64().unwrap() as usize;
    for (at, says) in [(at + 5, "no hash tree of the root hash"), (tree + 72, "bytes of data, not")]
    {
        let mut other = bytes.clone();
        other[at] ^= 1;
        fs::write(disk, other).unwrap();
        fails(&["mount-args", "--root", root, disk], 1, says);
    }
    // Nothing to be checked is no success.
    let mut blank = bytes;
    blank[at..tree].fill(0);
    fs::write(disk, blank).unwrap();
    fails(&["check", "--root", root, disk], 1, "no partition has EROFS in it");
    let tar = image.tars[0].to_str().unwrap();
    fails(&["check", "--against", tar, disk], 1, "no partition has EROFS in it");
}

#[test]
fn what_systemd_would_not_find_is_refused() {
    let image = Image::new();
    let place = Place::new();
    let out = place.text("out");
    let layers = "--gpt=dps is of one file system";
    let wasm = "wasi/wasm: the specification has no partition types for it";
    for (args, says) in [
        (&["--mode", "layer_block", "--gpt=dps"][..], layers),
        (&["--mode", "layer_block_with_verity", "--gpt=dps-usr"], layers),
        (&["--mode", "image_block", "--gpt=dps", "--platform", "wasi/wasm"], wasm),
        (&["--mode", "image_verity_only", "--gpt=dps"], "make no disk"),
        (&["--mode", "image_block", "--gpt=mbr"], "possible values: linux, dps, dps-usr"),
    ] {
        let args = [&["export", "-o", &out], args].concat();
        let ran = run(image.over_tars(&args));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(!Path::new(&out).exists());
    }
    let one =
        [OsStr::new("export"), "--mode".as_ref(), "layer_block".as_ref(), "--gpt=dps".as_ref()];
    ok(one.into_iter().chain(["-o".as_ref(), out.as_ref(), image.tars[0].as_os_str()]));
}
