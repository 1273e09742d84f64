//! A real image of four layers (Debian, nginx, small files, removals), in all modes and placements.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::tree::InodeId;
use serde_json::Value;
use testkit::dump::{self, DumpOptions, Ignore, diff, dump, dump_with};
use testkit::fixtures::{RealImage, real_image};
use testkit::mount::{Erofs, overlay};
use testkit::ours;

use crate::modes::verify;
use crate::run::{digest, json, mounted, ok, run};

const PLACEMENTS: [&str; 2] = ["metadata-first", "data-first"];

/// umoci keeps no nanoseconds, and gives directories that no layer lists times of its own.
fn expect(shown: &dump::Tree, image: &RealImage, what: &str) {
    let options = DumpOptions { overlay_private: false, ..DumpOptions::default() };
    let expected = dump_with(&image.rootfs, options).unwrap();
    let lines = diff(shown, &expected, &Ignore::nothing().mtime_nanos());
    assert!(lines.is_empty(), "{what}:\n{}", lines.join("\n"));
}

fn args(words: &[&str], paths: &[PathBuf]) -> Vec<OsString> {
    let words = words.iter().map(OsString::from);
    words.chain(paths.iter().map(|path| path.clone().into_os_string())).collect()
}

fn exported(out: &Path, mode: &str, placement: &str, inputs: &[PathBuf]) -> Vec<Value> {
    let out = out.to_str().unwrap();
    let words = ["export", "--json", "--mode", mode, "--placement", placement, "-o", out];
    json(&ok(args(&words, inputs)))
}

#[test]
fn all_modes_and_placements_of_a_real_image() {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let oci = [PathBuf::from(format!("oci:{}:layer4", image.oci.display()))];
    for placement in PLACEMENTS {
        let out = |mode: &str| dir.path().join(format!("{mode}-{placement}"));
        let disk = out("image_block");
        exported(&disk, "image_block", placement, &image.layers);
        expect(&dump(mounted(&disk).path()).unwrap(), &image, placement);

        let sealed = out("image_block_with_verity");
        let report = exported(&sealed, "image_block_with_verity", placement, &oci).remove(0);
        expect(&dump(mounted(&sealed).path()).unwrap(), &image, placement);
        verify(&sealed, &sealed, &report["verity"]);
        let root = report["verity"]["root_hash"].as_str().unwrap().to_owned();

        let tree = out("image_verity_only");
        let report = exported(&tree, "image_verity_only", placement, &oci).remove(0);
        assert_eq!(report["verity"]["root_hash"], *root);
        verify(&disk, &tree, &report["verity"]);

        // One bit, and the tool says so.
        let file = fs::File::options().read(true).write(true).open(&sealed).unwrap();
        let (mut byte, at) = ([0], 77_777_777);
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 4], at).unwrap();
        assert_ne!(run(["verity", "verify", sealed.to_str().unwrap(), &root]).code, 0);
        for path in [disk, sealed, tree] {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Directories that some layer does not list but has: overlayfs cannot know their attributes.
fn implied(image: &RealImage) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    for tar in &image.layers {
        let tree = ours::layer(&fs::read(tar).unwrap());
        let mut todo = vec![(Vec::new(), InodeId::ROOT)];
        while let Some((path, id)) = todo.pop() {
            for (name, child) in tree.children(id) {
                let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
                todo.push(([&path, slash, name].concat(), child));
            }
            if tree.is_implied(id) {
                paths.push(path);
            }
        }
    }
    paths
}

#[test]
fn layers_of_a_real_image_stack_by_overlayfs() {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let ignore = Ignore::nothing().dir_nlink().attributes_of(implied(&image));
    for placement in PLACEMENTS {
        let export = |mode: &str| {
            let out = dir.path().join(format!("{mode}-{placement}"));
            let reports = exported(&out, mode, placement, &image.layers);
            let path = |report: &Value| PathBuf::from(report["path"].as_str().unwrap());
            reports.into_iter().map(|report| (path(&report), report)).collect::<Vec<_>>()
        };
        let disks = export("layer_block");
        let sealed = export("layer_block_with_verity");
        let trees = export("layer_verity_only");
        for ((disk, sealed), tree) in disks.iter().zip(&sealed).zip(&trees) {
            verify(&sealed.0, &sealed.0, &sealed.1["verity"]);
            verify(&disk.0, &tree.0, &tree.1["verity"]);
        }
        for layers in [&disks, &sealed] {
            let mounts: Vec<_> = layers.iter().map(|(path, _)| mounted(path)).collect();
            let lowers: Vec<_> = mounts.iter().map(|mount| mount.path().to_owned()).collect();
            let stacked = overlay(&lowers).unwrap();
            let mut shown = dump(stacked.path()).unwrap();
            shown.recount_links();
            let merged = dir.path().join("merged");
            let paths: Vec<PathBuf> = layers.iter().map(|(path, _)| path.clone()).collect();
            ok(args(&["merge", "--disk", "-o", merged.to_str().unwrap()], &paths));
            let merged = dump(mounted(&merged).path()).unwrap();
            let lines = diff(&shown, &merged, &ignore);
            assert!(lines.is_empty(), "{placement}:\n{}", lines.join("\n"));
            expect(&merged, &image, placement);
        }
        for (path, _) in disks.iter().chain(&sealed).chain(&trees) {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn bootstraps_of_a_real_image_mount_over_its_tars() {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("image.erofs");
    let merge = |out: &Path| {
        json(&ok(args(&["merge", "--json", "-o", out.to_str().unwrap()], &image.layers))).remove(0)
    };
    let report = merge(&out);
    let again = dir.path().join("again.erofs");
    merge(&again);
    assert!(fs::read(&out).unwrap() == fs::read(&again).unwrap(), "twice the same");
    let devices = report["devices"].as_array().unwrap();
    let tagged: Vec<(String, &PathBuf)> =
        image.layers.iter().map(|tar| (digest(&fs::read(tar).unwrap()), tar)).collect();
    let tar = |tag: &Value| tagged.iter().find(|(of, _)| tag == of).unwrap().1;
    let tars: Vec<&PathBuf> = devices.iter().map(|device| tar(&device["tag"])).collect();
    let mount = Erofs::new(&out).devices(&tars).mount().unwrap();
    expect(&dump(mount.path()).unwrap(), &image, "bootstrap");
    let looped = Erofs::new(&out).devices(&tars).mount_by_loop().unwrap();
    expect(&dump(looped.path()).unwrap(), &image, "bootstrap by loop devices");
}
