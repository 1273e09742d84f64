//! Where `tarfs export` puts its outputs, what it calls them, and of which layers it makes them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use testkit::mount;
use testkit::oci::write_layout;

use crate::outputs::to_file;
use crate::run::{Image, Ran, digest, json, tool};

/// Runs `tarfs export` in the directory of an image.
fn export(image: &Image, args: &[&str]) -> Ran {
    let mut command = Command::new(tool());
    command.arg("export").args(args).current_dir(image.dir.path()).output().unwrap().into()
}

/// The same, which must succeed.
#[track_caller]
fn exported(image: &Image, args: &[&str]) -> String {
    let ran = export(image, args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    ran.stdout
}

/// The small layers, beside them in `other` another filesystem.
fn with_other() -> (Image, mount::Mounted) {
    let (image, other) = (Image::new(), mount::tmpfs().unwrap());
    symlink(other.path(), image.path("other")).unwrap();
    (image, other)
}

#[test]
fn links_lead_to_another_filesystem() {
    let (image, other) = with_other();
    let (target, link) = (other.path().join("real"), image.path("link"));
    fs::write(&target, "old").unwrap();
    symlink("other/real", &link).unwrap();
    for args in [
        &["--mode", "image_block", "0.tar", "1.tar"][..],
        &["--mode", "image_block_with_verity", "0.tar", "1.tar"],
        &["--mode", "layer_verity_only", "0.tar"],
        &["--mode", "layer_block", "--gpt", "0.tar", "1.tar"],
    ] {
        exported(&image, &[args, &["-o", "plain"]].concat());
        let report = exported(&image, &[args, &["-o", "link"]].concat());
        assert!(report.starts_with("link: "), "{report}");
        assert!(link.is_symlink() && target.is_file());
        assert!(fs::read(&target).unwrap() == fs::read(image.path("plain")).unwrap(), "{args:?}");
    }

    // The file beside a form.
    let vmdk = ["--mode", "image_block", "--form", "vmdk", "0.tar", "-o"];
    exported(&image, &[&vmdk[..], &["plain"]].concat());
    fs::write(other.path().join("metadata"), "old").unwrap();
    symlink("other/metadata", image.path("disk.metadata")).unwrap();
    exported(&image, &[&vmdk[..], &["disk"]].concat());
    assert!(image.path("disk.metadata").is_symlink());
    let made = fs::read(other.path().join("metadata")).unwrap();
    assert!(made == fs::read(image.path("plain.metadata")).unwrap());

    // A directory that is a link, and a link in a directory.
    let name = format!("{}.disk", digest(&image.stack.layers[0].tar));
    fs::create_dir(other.path().join("disks")).unwrap();
    symlink("other/disks", image.path("there")).unwrap();
    fs::create_dir(image.path("here")).unwrap();
    fs::write(other.path().join("disk"), "old").unwrap();
    symlink("../other/disk", image.path("here").join(&name)).unwrap();
    let layers = ["--mode", "layer_block", "0.tar", "1.tar", "-o"];
    exported(&image, &[&layers[..], &["there"]].concat());
    exported(&image, &[&layers[..], &["here"]].concat());
    let there = fs::read(other.path().join("disks").join(&name)).unwrap();
    assert!(image.path("here").join(&name).is_symlink());
    assert!(fs::read(other.path().join("disk")).unwrap() == there);
    assert_eq!(fs::read_dir(other.path().join("disks")).unwrap().count(), 2);
}

#[test]
fn a_file_that_is_called_as_standard_output_is_no_output() {
    let args: [(&[&str], &str); 3] = [
        (&["--mode", "image_block", "0.tar", "1.tar"], "0.tar"),
        (&["--mode", "layer_block_with_verity", "0.tar"], "0.tar"),
        (&["--mode", "image_block", "--gpt", "./-", "1.tar"], "-"),
    ];
    for (args, input) in args {
        for kind in ["file", "directory", "pipe"] {
            if input == "-" && kind != "file" {
                continue;
            }
            let image = Image::new();
            let (dir, dash) = (image.dir.path(), image.path("-"));
            match kind {
                "file" => drop(fs::copy(image.path("0.tar"), &dash).unwrap()),
                "directory" => fs::create_dir(&dash).unwrap(),
                _ => assert!(Command::new("mkfifo").arg(&dash).status().unwrap().success()),
            }
            exported(&image, &[args, &["-o", "plain"]].concat());
            let args = [&["export"], args, &["-o", "-"]].concat();
            let (ran, bytes) = to_file(dir, &args);
            assert_eq!(ran.code, 0, "{args:?} {kind}: {}", ran.stderr);
            assert!(bytes == fs::read(image.path("plain")).unwrap(), "{args:?} {kind}");
            assert!(ran.stderr.starts_with("-: "), "{}", ran.stderr);
            if kind == "directory" {
                assert_eq!(fs::read_dir(&dash).unwrap().count(), 0);
            }
        }
    }
}

#[test]
fn a_layer_that_is_there_twice_has_one_output() {
    let image = Image::new();
    let parts = ["--mode", "layer_block", "--gpt", "-o", "parts", "0.tar", "1.tar"];
    exported(&image, &parts);
    exported(&image, &["--mode", "layer_block", "--gpt", "-o", "part", "0.tar"]);
    fs::create_dir(image.path("out")).unwrap();
    for mode in ["layer_block", "layer_block_with_verity"] {
        for (layers, files) in [
            (&["parts:1", "parts:1"][..], 1),
            (&["parts:1", "parts:2", "parts:1"], 2),
            (&["part", "part"], 1),
            (&["0.tar", "./0.tar", "1.tar"], 2),
        ] {
            // What is copied is reported layer by layer, a form over files once.
            for (form, lines) in [("raw", layers.len()), ("vmdk", files), ("dm-linear", files)] {
                let args = ["--json", "--mode", mode, "--form", form, "-o", "out"];
                let reports = json(&exported(&image, &[&args, layers].concat()));
                assert_eq!(reports.len(), lines, "{mode} {form} {layers:?}");
                let made = fs::read_dir(image.path("out")).unwrap().count();
                assert_eq!(made, if form == "raw" { files } else { 2 * files }, "{layers:?}");
                fs::remove_dir_all(image.path("out")).unwrap();
            }
        }
    }
    // Two partitions of one disk are two layers.
    let twice = ["--mode", "layer_block", "--gpt", "-o", "twice", "0.tar", "0.tar"];
    exported(&image, &twice);
    let ran = export(&image, &["--mode", "layer_block", "-o", "out", "part:1", "0.tar", "twice:2"]);
    assert!(ran.code == 1 && ran.stderr.contains("would be the name of"), "{}", ran.stderr);
    assert!(!image.path("out").exists());
}

#[test]
fn a_volume_wants_layers_whose_trees_have_a_superblock() {
    let image = Image::new();
    for superblock in [true, false] {
        let seal = ["--json", "--mode", "layer_block_with_verity", "-o", "sealed", "0.tar"];
        let options: &[&str] = if superblock { &["--superblock"] } else { &[] };
        let report = json(&exported(&image, &[&seal, options].concat())).remove(0);
        let sealed = format!("sealed={}", report["verity"]["root_hash"].as_str().unwrap());
        let volume = ["--mode", "image_block_with_verity", "--gpt=dps", "-o", "raw", "--sealed"];
        let ran = export(&image, &[&volume[..], &[&sealed, "sealed"]].concat());
        assert_eq!(ran.code == 0, superblock, "{}", ran.stderr);
        assert!(superblock || ran.stderr.contains("has other parameters"), "{}", ran.stderr);
    }
}

/// What is asked for, the exit code, and what is said.
type Refused = (&'static [&'static str], i32, String);

#[test]
fn errors_name_what_was_asked_for() {
    let (image, other) = with_other();
    let name = digest(&image.stack.layers[0].tar);
    symlink("other/full", image.path("link")).unwrap();
    fs::write(other.path().join("full"), "").unwrap();
    fs::create_dir(image.path("disks")).unwrap();
    fs::hard_link(image.path("0.tar"), image.path("disks").join(format!("{name}.disk"))).unwrap();
    symlink("../1.tar", image.path("disks").join(format!("{name}.verity"))).unwrap();
    write_layout(&image.path("empty"), &[[0; 0]; 0]).unwrap();
    let aligned = "only a raw disk without --gpt has copies";
    let rows: Vec<Refused> = vec![
        // The output that is made of the layer which does not fit.
        (
            &["--mode", "layer_block", "--form", "vmdk", "--block-size", "4096", "-o", "out"],
            1,
            format!("tarfs: out/{name}.vmdk: "),
        ),
        (
            &["--mode", "layer_block", "--form", "vmdk", "--block-size", "4096", "-o", "out"],
            1,
            aligned.to_owned(),
        ),
        (
            &["--mode", "layer_block", "--gpt", "--block-size", "4096", "-o", "link"],
            1,
            "tarfs: link: ".to_owned(),
        ),
        // Which input it is.
        (
            &["--mode", "layer_block", "-o", "disks"],
            2,
            format!("tarfs: disks/{name}.disk: is the input 0.tar, and the output"),
        ),
        (
            &["--mode", "layer_verity_only", "-o", "disks"],
            2,
            format!("tarfs: disks/{name}.verity: is the input 1.tar, and the output"),
        ),
    ];
    for (args, code, says) in rows {
        let ran = export(&image, &[args, &["0.tar", "1.tar"]].concat());
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(&says), "{args:?}: {}", ran.stderr);
    }
    for form in ["raw", "vmdk"] {
        let out = if form == "raw" { "-" } else { "out" };
        let ran =
            export(&image, &["--mode", "layer_block", "--form", form, "-o", out, "oci:empty"]);
        let says = format!("tarfs: {out}: there is no layer to make it of\n");
        assert_eq!((ran.code, &ran.stderr), (1, &says));
    }
    read_only(&image, &other);
}

/// A link to a file whose directory takes no new ones.
fn read_only(image: &Image, other: &mount::Mounted) {
    let remount = |option: &str| {
        let mut mount = Command::new("mount");
        let mount = mount.args(["-o", &format!("remount,{option}")]).arg(other.path());
        assert!(mount.status().unwrap().success());
    };
    remount("ro");
    let ran = export(image, &["--mode", "image_block", "-o", "link", "0.tar"]);
    remount("rw");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("tarfs: link: cannot create it"), "{}", ran.stderr);
    assert!(Path::new(&image.path("link")).is_symlink());
}
