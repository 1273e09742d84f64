//! Images of sealed layers: what the layers' hash trees have is not hashed again.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::modes::verify;
use crate::run::{Image, json, ok, run};

/// The layers' sealed disks, and DISK=ROOT of each.
fn sealed(image: &Image, placement: &str) -> Vec<(PathBuf, String)> {
    let out = image.path(&format!("sealed-{placement}"));
    let out = out.to_str().unwrap();
    let args = ["export", "--mode", "layer_block_with_verity", "--json", "-o", out];
    let args = [&args[..], &["--placement", placement]].concat();
    let disk = |report: &Value| {
        let path = report["path"].as_str().unwrap();
        let root = report["verity"]["root_hash"].as_str().unwrap();
        (PathBuf::from(path), format!("{path}={root}"))
    };
    json(&ok(image.over_tars(&args))).iter().map(disk).collect()
}

fn args<'a>(
    mode: &'a str,
    out: &'a str,
    disks: &'a [(PathBuf, String)],
    known: &'a [(PathBuf, String)],
) -> Vec<&'a str> {
    let mut args = vec!["export", "--mode", mode, "--json", "-o", out];
    known.iter().for_each(|(_, sealed)| args.extend(["--sealed", sealed]));
    args.extend(disks.iter().map(|(disk, _)| disk.to_str().unwrap()));
    args
}

#[test]
fn sealed_layers_give_the_bytes_that_hashing_gives() {
    let image = Image::new();
    for placement in ["metadata-first", "data-first"] {
        let disks = sealed(&image, placement);
        for mode in ["image_block_with_verity", "image_verity_only", "layer_verity_only"] {
            // Of the layers, none, some or all; one of them twice.
            let stack = [&disks[..], &disks[1..2]].concat();
            let mut outputs = Vec::new();
            for (count, known) in [&disks[..0], &disks[1..3], &disks[..]].into_iter().enumerate() {
                let out = image.path(&format!("{placement}-{mode}-{count}"));
                let reports = json(&ok(args(mode, out.to_str().unwrap(), &stack, known)));
                let mut bytes = Vec::new();
                for report in reports {
                    let path = PathBuf::from(report["path"].as_str().unwrap());
                    bytes.push(fs::read(&path).unwrap());
                    if mode == "image_block_with_verity" {
                        verify(&path, &path, &report["verity"]);
                    }
                }
                outputs.push(bytes);
            }
            assert!(outputs[1] == outputs[0], "{placement}, {mode}: some");
            assert!(outputs[2] == outputs[0], "{placement}, {mode}: all");
        }
    }
}

#[test]
fn trees_that_are_not_what_the_root_says_are_refused() {
    let image = Image::new();
    let disks = sealed(&image, "metadata-first");
    let out = image.path("out");
    let out = out.to_str().unwrap();
    let tampered = |text: &str| {
        let ran = run(args("image_verity_only", out, &disks, &disks));
        assert_eq!(ran.code, 1, "{text}");
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
        assert!(!PathBuf::from(out).exists());
    };
    let file = fs::OpenOptions::new().read(true).write(true).open(&disks[1].0).unwrap();
    let end = file.metadata().unwrap().len();
    // Level 0 is the last one.
    let mut old = [0; 32];
    file.read_exact_at(&mut old, end - 4096).unwrap();
    file.write_all_at(&[0x55; 32], end - 4096).unwrap();
    tampered("its tree: hash block");
    file.set_len(end - 512).unwrap();
    tampered("its hash tree is cut short");
    file.set_len(end).unwrap();
    file.write_all_at(&old, end - 4096).unwrap();

    let path = disks[0].0.to_str().unwrap();
    let zeros = format!("{path}={}", "0".repeat(64));
    let run = |sealed: &str| {
        run(["export", "--mode", "image_verity_only", "-o", out, "--sealed", sealed, path])
    };
    assert_eq!(run(&zeros).code, 1);
    assert_eq!(run(&disks[1].1).code, 2, "none of the layers");
    assert_eq!(run(path).code, 2, "no root hash");
    assert_eq!(run(&format!("{path}=12")).code, 2, "half a root hash");
    assert_eq!(run(&disks[0].1).code, 0);
}
