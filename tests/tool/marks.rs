//! `--print`, and `mount-args --kata`: what others write down of a disk.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::run::{Image, digest, json, ok, run};

/// The annotations of an output, by the draft of the EROFS image specification.
#[track_caller]
fn annotated(report: &Value, role: Option<&str>, block: Option<&str>) {
    let annotations = report["erofs_annotations"].as_object().unwrap();
    let said = |key: &str| annotations.get(&format!("org.erofs.{key}")).and_then(Value::as_str);
    let file = fs::read(report["path"].as_str().unwrap()).unwrap();
    let sha256 = format!("sha256:{}", digest(&file));
    assert_eq!(said("uncompressed-digest"), Some(&sha256[..]));
    assert_eq!(said("role"), role);
    assert_eq!(said("dmverity.block_size"), block);
    let count = 1 + usize::from(role.is_some()) + if block.is_some() { 3 } else { 0 };
    assert_eq!(annotations.len(), count, "{annotations:?}");
    if block.is_some() {
        let root = format!("sha256:{}", report["verity"]["root_hash"].as_str().unwrap());
        assert_eq!(said("dmverity.root_digest"), Some(&root[..]));
        // Where the superblock is, from which all else is read.
        let offset: usize = said("dmverity.hash_offset").unwrap().parse().unwrap();
        assert_eq!(file[offset..offset + 8], *b"verity\0\0");
    }
}

#[test]
fn annotations_of_disks() {
    let image = Image::new();
    let out = image.path("out").to_str().unwrap().to_owned();
    let tar = image.tars[0].to_str().unwrap();
    let print = ["--json", "--print", "erofs-annotations", "-o", &out];
    let lower = Some("overlay-lower");
    let pages = ["--verity", "--preset", "containerd-4k", "--block-size", "4096"];
    for (options, block) in [
        (&[][..], None),
        (&["--verity", "--preset", "containerd"], Some("512")),
        (&["--placement", "data-first", "--verity", "--preset", "containerd"], Some("512")),
        (&pages, Some("4096")),
    ] {
        let args = [&["layer", "--disk"], options, &print, &[tar]].concat();
        annotated(&json(&ok(args))[0], lower, block);
    }
    let sealed = ["--preset", "containerd"];
    for (mode, options, role, block) in [
        ("image_block", &[][..], None, None),
        ("image_block_with_verity", &sealed, None, Some("512")),
        ("layer_block", &[], lower, None),
        ("layer_block_with_verity", &sealed, lower, Some("512")),
    ] {
        let place = image.path(mode).to_str().unwrap().to_owned();
        let print = ["--json", "--print", "erofs-annotations", "-o", &place];
        let args = [&["export", "--mode", mode], options, &print].concat();
        let reports = json(&ok(image.over_tars(&args)));
        assert_eq!(reports.len(), if role.is_some() { 4 } else { 1 });
        reports.iter().for_each(|report| annotated(report, role, block));
    }
    // For people and scripts: a line of JSON.
    let said = ok(["layer", "--disk", "--print", "erofs-annotations", "-o", &out, tar]);
    let line: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(line["org.erofs.role"], "overlay-lower");
}

#[test]
fn options_for_kata() {
    let image = Image::new();
    let out = image.path("out").to_str().unwrap().to_owned();
    let tar = image.tars[0].to_str().unwrap();
    let layer =
        ["layer", "--disk", "--verity", "--preset", "containerd-4k", "--block-size", "4096"];
    let print = ["--json", "--print", "kata-options,erofs-annotations", "-o", &out, tar];
    let report = json(&ok([&layer[..], &print].concat())).remove(0);
    let (root, offset) = (&report["verity"]["root_hash"], &report["verity"]["hash_offset"]);
    let root = root.as_str().unwrap();
    let options = [
        "X-kata.dmverity-enabled=true".to_owned(),
        format!("X-kata.dmverity.roothash={root}"),
        format!("X-kata.dmverity.hashoffset={offset}"),
        format!("X-kata.dmverity.salt={}", "00".repeat(32)),
    ];
    assert_eq!(report["kata_options"], serde_json::to_value(&options).unwrap());
    // The same of the disk that is there.
    let line = ok(["mount-args", "--root", root, "--kata", &out]);
    assert_eq!(line, options.join(",") + "\n");
    let wrong = run(["mount-args", "--root", &"0".repeat(64), "--kata", &out]);
    assert_eq!(wrong.code, 1);
    assert_eq!(run(["mount-args", "--kata", &out]).code, 2, "a root hash is wanted");
}

/// What a reader would open otherwise is refused before anything is made.
#[test]
fn what_has_no_place() {
    let image = Image::new();
    let out = image.path("out").to_str().unwrap().to_owned();
    let tar = image.tars[0].to_str().unwrap();
    let layer = ["layer", "--disk", "-o", &out, tar, "--print"];
    let kata = ["kata-options", "--verity"];
    let erofs = ["erofs-annotations", "--verity"];
    let export = ["export", "-o", &out, tar, "--print", "erofs-annotations", "--mode"];
    for (args, word) in [
        ([&layer[..], &["kata-options"]].concat(), "a disk with a hash tree"),
        ([&layer[..], &kata].concat(), "4096/4096"),
        ([&layer[..], &kata, &["--preset", "containerd"]].concat(), "containerd-4k"),
        ([&layer[..], &erofs].concat(), "another size"),
        ([&layer[..], &erofs, &["--hash-block-size", "512"]].concat(), "superblock"),
        ([&export[..], &["image_verity_only"]].concat(), "a disk in one file"),
        ([&export[..], &["image_block", "--gpt"]].concat(), "a disk in one file"),
        ([&export[..], &["image_block", "--form", "vmdk"]].concat(), "a disk in one file"),
    ] {
        let ran = run(&args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
        assert!(!Path::new(&out).exists());
    }
    let sealed =
        ["layer", "--disk", "--verity", "--preset", "containerd", "--json", "-o", &out, tar];
    let report = json(&ok(sealed)).remove(0);
    let root = report["verity"]["root_hash"].as_str().unwrap();
    let ran = run(["mount-args", "--root", root, "--kata", &out]);
    assert!(ran.code == 1 && ran.stderr.contains("4096/4096"), "{}", ran.stderr);
}
