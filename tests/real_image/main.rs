//! The acceptance of a real image (Debian, nginx, small files, removals) through the tool: every
//! mode and placement, from tars and from an OCI layout, judged by umoci, GNU tar, the kernel and
//! veritysetup. `tests/tool/real.rs` has the stacks of overlayfs.

// What the tool's own tests share; not all of it is of use here.
#[allow(dead_code)]
#[path = "../tool/run.rs"]
mod run;

mod expected;
mod made;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::dump::{Kind, dump};
use testkit::fixtures::{RealImage, real_image};
use testkit::mount::Erofs;

use crate::expected::{expect_image, expected, extracted, same};
use crate::made::{again, args, digest_of, export, oci, text, verify};
use crate::run::{json, ok, run};

fn image_modes(placement: &str) {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let made = |mode: &str| {
        let made = export(&dir.path().join(mode), mode, placement, &image.layers);
        assert_eq!(made.len(), 1);
        again(dir.path(), &made, mode, placement, &image);
        made
    };
    let disk = made("image_block").remove(0);
    expect_image(&Erofs::new(&disk.path).mount().unwrap(), &image, placement);
    let tree = made("image_verity_only").remove(0);
    verify(&disk.path, &tree, placement);
    let sealed = made("image_block_with_verity").remove(0);
    expect_image(&Erofs::new(&sealed.path).mount().unwrap(), &image, placement);
    verify(&sealed.path, &sealed, placement);
    for disk in [&disk, &sealed] {
        ok(["check", text(&disk.path)]);
    }
    ok(args(&["check", text(&sealed.path), "--against"], &image.layers));
    let without_the_last = args(&["check", text(&disk.path), "--against"], &image.layers[..3]);
    assert_eq!(run(without_the_last).code, 1);
}

fn layer_modes(placement: &str) {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let made = |mode: &str| {
        let made = export(&dir.path().join(mode), mode, placement, &image.layers);
        assert_eq!(made.len(), image.layers.len());
        again(dir.path(), &made, mode, placement, &image);
        made
    };
    let disks = made("layer_block");
    let sealed = made("layer_block_with_verity");
    let trees = made("layer_verity_only");
    for (number, tar) in image.layers.iter().enumerate() {
        let what = format!("layer {number} {placement}");
        let (disk, sealed, tree) = (&disks[number], &sealed[number], &trees[number]);
        if let Some(expected) = extracted(tar) {
            for disk in [disk, sealed] {
                let mount = Erofs::new(&disk.path).mount().unwrap();
                same(&dump(mount.path()).unwrap(), &expected.tree, &expected.ignore, &what);
            }
        }
        verify(&sealed.path, sealed, &what);
        verify(&disk.path, tree, &what);
        ok(["check", text(&disk.path), "--against", text(tar)]);
    }
}

#[test]
fn image_modes_metadata_first() {
    image_modes("metadata-first");
}

#[test]
fn image_modes_data_first() {
    image_modes("data-first");
}

#[test]
fn layer_modes_metadata_first() {
    layer_modes("metadata-first");
}

#[test]
fn layer_modes_data_first() {
    layer_modes("data-first");
}

/// The tars of the devices that a report tells of.
fn tars<'a>(report: &Value, image: &'a RealImage) -> Vec<&'a PathBuf> {
    let tag = |tar: &Path| digest_of(tar).iter().map(|byte| format!("{byte:02x}")).collect();
    let tagged: Vec<(String, &PathBuf)> = image.layers.iter().map(|tar| (tag(tar), tar)).collect();
    let devices = report["devices"].as_array().unwrap().iter();
    devices.map(|device| tagged.iter().find(|(tag, _)| device["tag"] == **tag).unwrap().1).collect()
}

#[test]
fn bootstraps_mount_over_their_tars_and_merge_as_tars_do() {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tars_at = text(image.layers[0].parent().unwrap());
    let mut bootstraps = Vec::new();
    for (number, tar) in image.layers.iter().enumerate() {
        let out = dir.path().join(format!("layer{number}.erofs"));
        let report = json(&ok(["layer", "--json", "-o", text(&out), text(tar)])).remove(0);
        let mount = Erofs::new(&out).devices(tars(&report, &image)).mount().unwrap();
        if let Some(expected) = extracted(tar) {
            let what = format!("layer {number}");
            same(&dump(mount.path()).unwrap(), &expected.tree, &expected.ignore, &what);
        }
        ok(["check", "--tars", tars_at, text(&out), "--against", text(tar)]);
        bootstraps.push(out);
    }
    let merge = |name: &str, inputs: &[PathBuf]| {
        let out = dir.path().join(name);
        let words = ["merge", "--json", "--tars", tars_at, "-o", text(&out)];
        let report = json(&ok(args(&words, inputs))).remove(0);
        (out, report)
    };
    let (of_bootstraps, report) = merge("of-bootstraps", &bootstraps);
    let (of_tars, _) = merge("of-tars", &image.layers);
    let (of_oci, _) = merge("of-oci", &oci(&image));
    let bytes = fs::read(&of_bootstraps).unwrap();
    assert!(bytes == fs::read(&of_tars).unwrap(), "bootstraps or tars: the same");
    assert!(bytes == fs::read(&of_oci).unwrap(), "bootstraps or an OCI layout: the same");
    let mount = Erofs::new(&of_bootstraps).devices(tars(&report, &image)).mount().unwrap();
    expect_image(&mount, &image, "merged bootstraps");
    ok(args(&["check", "--tars", tars_at, text(&of_bootstraps), "--against"], &image.layers));

    // All tars are found, and are what their tags say.
    let report = json(&ok(["check", "--json", "--tars", tars_at, text(&of_tars)])).remove(0);
    assert_eq!(report["tars"].as_array().unwrap().len(), report_devices(&of_tars));
}

fn report_devices(image: &Path) -> usize {
    let report = json(&ok(["inspect", "--json", text(image)])).remove(0);
    report["devices"].as_array().unwrap().len()
}

/// The comparisons are of something: the expected tree has what the image was built to have.
#[test]
fn the_expected_tree_has_one_of_everything() {
    let Some(image) = real_image() else { return };
    let tree = expected(&image);
    let xattrs = |path: &str| &tree.get(path).unwrap().xattrs;
    let has = |path: &str, key: &str| xattrs(path).contains_key(key.as_bytes());
    assert!(has("usr/local/bin/capable", "security.capability"));
    assert!(has("srv/www", "system.posix_acl_access"));
    assert!(has("srv/www", "system.posix_acl_default"));
    assert_eq!(xattrs("srv/www")[&b"trusted.kit"[..]], [0, 0xff, 0x0a]);
    assert_eq!(xattrs("srv/www/index.html")[&b"user.comment"[..]], *b"hello");
    assert!(tree.get("usr/share/doc").is_none());
    assert!(tree.get("srv/www/start.html").is_none());
    assert_eq!(tree.get("var/www/html").unwrap().kind, Kind::File);
    assert!(tree.0.iter().any(|(path, node)| node.link != *path), "a group of links");
    assert!(tree.0.values().any(|node| node.mode & 0o6000 != 0), "set-ID bits");
    assert!(tree.0.values().any(|node| node.gid != 0), "owners");
}

#[test]
fn ls_stat_and_cat_say_what_a_mount_shows() {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    ok(args(&["merge", "--disk", "-o", text(&disk)], &image.layers));
    let tree = expected(&image);
    let mount = Erofs::new(&disk).mount().unwrap();
    for directory in ["", "etc", "usr/bin", "srv/www", "usr/share/nginx"] {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let below = |path: &[u8]| path.strip_prefix(prefix.as_bytes()).map(<[u8]>::to_vec);
        let names: Vec<String> = tree
            .paths()
            .filter_map(below)
            .filter(|name| !name.is_empty() && !name.contains(&b'/'))
            .map(|name| String::from_utf8(name).unwrap())
            .collect();
        let listed = ok(["ls", text(&disk), &format!("/{directory}")]);
        assert_eq!(listed.lines().collect::<BTreeSet<_>>(), names.iter().map(|n| &**n).collect());
    }
    let files = [
        "etc/passwd",
        "etc/nginx/nginx.conf",
        "etc/nginx/conf.d/site.conf/inside",
        "srv/www/index.html",
        "usr/local/bin/capable",
        "usr/share/nginx/README",
        "var/www/html",
        "usr/bin/perl",
    ];
    for file in files {
        let mut command = Command::new(run::tool());
        let cat = command.args(["cat", text(&disk), file]).output().unwrap();
        assert!(cat.status.success(), "{file}");
        assert!(cat.stdout == fs::read(mount.path().join(file)).unwrap(), "{file}");
    }
    let links = ["var/www/site", "bin"];
    for path in files.into_iter().chain(links).chain(["srv/www", "tmp", "usr/bin/passwd"]) {
        let node = tree.get(path).unwrap();
        let stat = ok(["stat", text(&disk), path]);
        let says =
            |line: String| assert!(stat.lines().any(|l| l.starts_with(&line)), "{line} of\n{stat}");
        says(format!("mode:  {:04o} ", node.mode));
        says(format!("owner: {}:{}", node.uid, node.gid));
        says(format!("links: {}", node.nlink));
        assert!(stat.contains(&format!("({}.", node.mtime.0)), "{stat}");
        if node.kind == Kind::File {
            says(format!("size:  {}", node.size));
        }
        if let Some(target) = &node.target {
            says(format!("target: {}", String::from_utf8_lossy(target)));
        }
        for key in node.xattrs.keys() {
            says(format!("xattr: {}=", String::from_utf8_lossy(key)));
        }
    }
    assert_eq!(run(["cat", text(&disk), "/srv/www/start.html"]).code, 1, "removed");
    assert_eq!(run(["ls", text(&disk), "/usr/share/doc"]).code, 1, "removed");
}
