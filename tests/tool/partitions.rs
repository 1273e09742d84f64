//! Disks with a partition table, read back: `DISK:2`, or `DISK` where only one is meant.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::dump::{Tree, dump};
use testkit::oracle::{self, Verdict};

use crate::run::{Image, Place, json, of_stdin, ok, run};

/// A disk with the small layers in its partitions, or one of systemd's.
fn disk(image: &Image, name: &str, args: &[&str]) -> String {
    let out = image.path(name).to_str().unwrap().to_owned();
    ok(image.over_tars(&[&["export", "-o", &out], args].concat()));
    out
}

/// What fails, and with which words.
#[track_caller]
fn fails(code: i32, args: &[&str], says: &[&str]) {
    let ran = run(args);
    assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
    for words in says {
        assert!(ran.stderr.contains(words), "{args:?}: {words:?}: {}", ran.stderr);
    }
}

/// The root hash that an export prints.
fn root(disk: &str) -> String {
    let report = json(&ok(["check", "--json", disk])).remove(0);
    report["partitions"][0]["verity"]["root_hash"].as_str().unwrap().to_owned()
}

#[test]
fn each_partition_is_its_layer() {
    let image = Image::new();
    for mode in ["layer_block", "layer_block_with_verity"] {
        let disk = disk(&image, "disk", &["--mode", mode, "--gpt"]);
        let dir = disk.clone() + ".d";
        let disks = json(&ok(image.over_tars(&["export", "--json", "--mode", mode, "-o", &dir])));
        let reports = json(&ok(["inspect", "--json", &disk]));
        let partitions = reports[0]["partitions"].as_array().unwrap();
        assert_eq!((partitions.len(), reports.len()), (image.tars.len(), image.tars.len() + 1));
        let mut args = Vec::new();
        for (index, (tar, report)) in image.tars.iter().zip(&reports[1..]).enumerate() {
            let name = format!("{disk}:{}", index + 1);
            let tar = tar.to_str().unwrap();
            assert_eq!(report["path"], name);
            let listed = ok(["ls", "-l", &name]);
            assert!(!listed.is_empty());
            assert_eq!(listed, ok(["ls", "-l", disks[index]["path"].as_str().unwrap()]), "{name}");
            ok(["check", "--against", tar, &name]);
            args.push(name);
        }
        // As layers they are what the same disks are in files.
        let all: Vec<&str> = args.iter().map(String::as_str).collect();
        let (one, two) = (disk.clone() + ".1", disk.clone() + ".2");
        ok([&["merge", "--disk", "-o", &one], &all[..]].concat());
        let disks: Vec<&str> = disks.iter().map(|disk| disk["path"].as_str().unwrap()).collect();
        ok([&["merge", "--disk", "-o", &two], &disks[..]].concat());
        assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap());
        let vmdk = disk.clone() + ".vmdk";
        ok([&["export", "--mode", "image_block", "--form", "vmdk", "-o", &vmdk], &all[..]]
            .concat());
        if let Some(bytes) = crate::overlaid::through_qemu(Path::new(&vmdk)) {
            assert!(bytes == fs::read(&two).unwrap());
        }
        // Two partitions of one file are two devices.
        let twice = disk.clone() + ".erofs";
        let report = ok([&["merge", "--json", "-o", &twice], &all[..]].concat());
        let devices = json(&report)[0]["devices"].as_array().unwrap().len();
        assert!(devices > 1, "{report}");
        let checked = ok(["check", &disk]);
        let last = format!("{disk}: good as far as checked: both partition tables");
        assert!(checked.contains(&last), "{checked}");
    }
}

#[test]
fn of_several_one_is_to_be_named() {
    let image = Image::new();
    let disk = disk(&image, "disk", &["--mode", "layer_block", "--gpt"]);
    let out = image.path("out").to_str().unwrap().to_owned();
    let several = ["has several partitions: say which of ", ":1 (\"", ":2 (\""];
    fails(1, &["ls", &disk], &several);
    fails(1, &["stat", &disk, "/"], &several);
    fails(1, &["cat", &disk, "/etc/a"], &several);
    fails(1, &["merge", "-o", &out, &disk], &several);
    fails(1, &["mount-args", "--root", &"1".repeat(64), &disk], &several);
    fails(2, &["check", "--root", &"1".repeat(64), &disk], &["are of one filesystem", ":2"]);
    let none = ["is no partition of the disk", ":1 (\""];
    fails(1, &["ls", &format!("{disk}:9")], &none);
    fails(1, &["ls", &format!("{disk}:0")], &none);
    fails(1, &["inspect", &format!("{disk}:99999999999")], &["No such file"]);
    // A file of the name comes first.
    let named = format!("{disk}:1");
    fs::copy(&image.tars[0], &named).unwrap();
    assert_eq!(ok(["ls", &named]), ok([OsStr::new("ls"), image.tars[0].as_os_str()]));
    fails(1, &["inspect", &named], &["is not an EROFS image"]);
    assert!(!Path::new(&out).exists());
}

#[test]
fn the_only_one_needs_no_number() {
    let image = Image::new();
    let plain = disk(&image, "plain", &["--mode", "image_block"]);
    let listed = ok(["ls", "-l", &plain, "/"]);
    for gpt in [
        &["--mode", "image_block", "--gpt"][..],
        &["--mode", "image_block_with_verity", "--gpt=dps"],
    ] {
        let disk = disk(&image, "disk", gpt);
        assert_eq!(ok(["ls", "-l", &disk, "/"]), listed);
        let tars: Vec<&str> = image.tars.iter().map(|tar| tar.to_str().unwrap()).collect();
        ok([&["check", "--against"], &tars[..], &[&disk]].concat());
    }
}

/// The printed commands do what they say; without a device mapper `verify` stands for `open`.
#[test]
fn mount_args_mount_partitions() {
    let image = Image::new();
    let layers = disk(&image, "lay ers", &["--mode", "layer_block", "--gpt"]);
    let one = disk(&image, "one", &["--mode", "image_block", "--gpt=dps"]);
    let sealed = disk(&image, "sealed", &["--mode", "image_block_with_verity", "--gpt=dps-usr"]);
    let at = image.path("at").to_str().unwrap().to_owned();
    fs::create_dir(&at).unwrap();
    let sh = |script: &str| Verdict::of(Command::new("sh").args(["-ec", script]));
    let script = ok(["mount-args", "--mount-point", &at, &one]);
    sh(&script).expect_ok(&script);
    let shown: std::io::Result<Tree> = dump(Path::new(&at));
    sh(&format!("umount {at}")).expect_ok("umount");
    image.expect_shown(&shown.unwrap());

    let script = ok(["mount-args", "--mount-point", &at, &layers]);
    sh(&script).expect_ok(&script);
    let found: Vec<_> = (1..=image.tars.len())
        .map(|number| fs::read_dir(format!("{at}/{number}")).unwrap().count())
        .collect();
    for number in 1..=image.tars.len() {
        sh(&format!("umount {at}/{number}")).expect_ok("umount");
    }
    assert!(found.iter().all(|count| *count > 0), "{found:?}");

    let ran = run(["mount-args", &sealed]);
    assert!(ran.stderr.contains("is that of the partitions' GUIDs"), "{}", ran.stderr);
    let root = root(&sealed);
    let script = ok(["mount-args", "--root", &root, &sealed]);
    assert_eq!(script, ran.stdout);
    let open = script.lines().find(|line| line.starts_with("veritysetup open ")).unwrap();
    let words: Vec<&str> = open.split(' ').collect();
    let verify = format!("veritysetup verify {} {} {}", words[2], words[4], words[5]);
    let attach: Vec<&str> = script.lines().filter(|line| line.contains("=$(losetup ")).collect();
    let script =
        format!("{}\ntrap 'losetup --detach $data $tree' EXIT\n{verify}", attach.join("\n"));
    assert_eq!((attach.len(), words[5]), (2, &root[..]));
    if oracle::tool("veritysetup", "apt-get install cryptsetup-bin").is_some() {
        sh(&script).expect_ok(&script);
    }
    fails(1, &["mount-args", "--root", &"1".repeat(64), &sealed], &["GUIDs are of the root hash"]);
}

/// What was done to a disk, and what `check` says of it.
#[test]
fn what_is_wrong_is_said() {
    let image = Image::new();
    let good = disk(&image, "good", &["--mode", "image_block_with_verity", "--gpt=dps"]);
    let bytes = fs::read(&good).unwrap();
    let root = root(&good);
    let strict = ["check", "--strict", "--root", &root];
    ok([&strict[..], &[&good]].concat());
    fails(
        1,
        &["check", "--strict", &good],
        &["good:1: the root hash but by the partitions' GUIDs"],
    );
    let other = "1".repeat(64);
    let guids = ["the partitions' GUIDs are of the root hash"];
    fails(1, &["check", "--root", &other, &good], &guids);

    let report = json(&ok(["inspect", "--json", &good])).remove(0);
    let at = |index: usize, key: &str| report["partitions"][index][key].as_u64().unwrap() as usize;
    let (data, tree) = (at(0, "offset"), at(1, "offset"));
    let (data_end, tree_end) = (data + at(0, "size"), tree + at(1, "size"));
    let end = bytes.len();
    let bad = image.path("bad").to_str().unwrap().to_owned();
    let edited = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        fs::write(&bad, bytes).unwrap();
    };
    for (at, says) in [
        (
            512,
            "its partition table is damaged, and the one at its end is taken: there is no header",
        ),
        (512 + 60, "damaged, and the one at its end is taken: its header has a wrong checksum"),
        (1024 + 3, "damaged, and the one at its end is taken: its entries have a wrong checksum"),
        (end - 512, "its second partition table: there is no header in it"),
        (end - 600, "its second partition table: its entries have a wrong checksum"),
        // Of the volume, its hash tree, and what is in neither.
        (data_end - 1, "bad:1: "),
        (tree, "bad:1: its hash tree: "),
        (tree + 4096, "bad:1: "),
        (tree_end - 1, "bad:1: "),
        (data_end + 9, "which are in no partition"),
        (tree - 1, "which are in no partition"),
    ] {
        edited(at);
        fails(1, &[&strict[..], &[&bad]].concat(), &[says]);
        // What is in the partition is shown, with a warning of the table.
        let ran = run(["ls", &bad]);
        assert_eq!((ran.code, ran.stdout), (0, ok(["ls", &good])), "{at}");
        let of_table = at < 2048 || at >= end - 1024;
        assert_eq!(ran.stderr.contains("warning: "), of_table, "{at}: {}", ran.stderr);
    }
    let mut both = bytes.clone();
    (both[512], both[end - 512]) = (0, 0);
    fs::write(&bad, &both).unwrap();
    for args in [&["check"][..], &["ls"], &["inspect"], &["mount-args"]] {
        fails(1, &[args, &[&bad]].concat(), &["its partition table: there is no header in it"]);
    }
    // A disk that became longer, and one that was cut.
    fs::write(&bad, [&bytes[..], &[0; 4096]].concat()).unwrap();
    fails(1, &["check", &bad], &["the second table is in sector"]);
    fs::write(&bad, &bytes[..end - 4096]).unwrap();
    fails(1, &["check", &bad], &["the second table is in sector", "and the disk ends with sector"]);
    fs::write(&bad, &bytes[..tree]).unwrap();
    fails(1, &["check", &bad], &["its partition table: partitions are to be in sectors"]);
}

/// An input's disk is spared, however its partition is named.
#[test]
fn a_disk_is_no_stream() {
    let image = Image::new();
    let disk = disk(&image, "layers.gpt", &["--mode", "layer_block", "--gpt"]);
    let bytes = fs::read(&disk).unwrap();
    let out = image.path("out").to_str().unwrap().to_owned();
    for words in [&["layer", "-o", &out, "-"][..], &["merge", "-o", &out, "-"], &["ls", "-"]] {
        let ran = of_stdin(&bytes, words);
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("a disk with partitions"), "{}", ran.stderr);
    }
}

#[test]
fn a_disk_is_no_output() {
    let place = Place::new();
    let image = Image::new();
    let disk = disk(&image, "disk", &["--mode", "layer_block", "--gpt"]);
    let before = fs::read(&disk).unwrap();
    let one = format!("{disk}:1");
    fails(2, &["merge", "--disk", "-o", &disk, &one], &["is an input and the output"]);
    fails(1, &["verity", "format", &one], &["or a partition, and cannot grow"]);
    let tree = place.text("tree");
    ok(["verity", "format", "--hash", &tree, &one]);
    assert!(fs::read(&disk).unwrap() == before);
}
