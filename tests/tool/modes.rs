//! Layers, images and the six modes of export: mounted, verified, compared.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::dump::dump;
use testkit::mount::Erofs;
use testkit::oracle::{Verity, veritysetup_verify};
use testkit::tarball::TarBuilder;

use crate::run::{Image, digest, json, mounted, ok, run};

/// Asks veritysetup about an output.
#[track_caller]
pub(crate) fn verify(data: &Path, hash: &Path, verity: &Value) {
    let number = |key: &str| verity[key].as_u64().unwrap();
    let verdict = veritysetup_verify(&Verity {
        data,
        hash,
        hash_offset: number("hash_offset"),
        data_blocks: number("data_blocks"),
        data_block_size: number("data_block_size") as u32,
        hash_block_size: number("hash_block_size") as u32,
        salt: verity["salt"].as_str().unwrap(),
        root: verity["root_hash"].as_str().unwrap(),
    });
    if let Some(verdict) = verdict {
        verdict.expect_ok("veritysetup verify");
    }
}

#[test]
fn a_layer_bootstrap_mounts_over_its_tar() {
    let image = Image::new();
    for (index, tar) in image.tars.iter().enumerate() {
        let report = &json(&ok(["layer".as_ref(), "--json".as_ref(), tar.as_os_str()]))[0];
        let bootstrap = PathBuf::from(report["path"].as_str().unwrap());
        assert_eq!(bootstrap, image.path(&format!("{index}.tar.erofs")));
        let devices = report["devices"].as_array().unwrap();
        if let Some(device) = devices.first() {
            assert_eq!(device["tag"], digest(&image.stack.layers[index].tar));
        }
        let tars = devices.iter().map(|_| tar);
        image.expect_layer(index, &Erofs::new(&bootstrap).devices(tars).mount().unwrap());
        ok(["check".as_ref(), "--against".as_ref(), tar.as_os_str(), bootstrap.as_os_str()]);
    }
}

#[test]
fn merged_bootstraps_mount_over_the_tars() {
    let image = Image::new();
    let out = image.path("image.erofs");
    let mut args = vec!["merge".into(), "-o".into(), out.clone().into_os_string()];
    for tar in &image.tars {
        ok(["layer".as_ref(), tar.as_os_str()]);
        args.push(tar.with_extension("tar.erofs").into());
    }
    ok(&args);
    let of_tars = image.path("of-tars.erofs");
    ok(image.over_tars(&["merge", "-o", of_tars.to_str().unwrap()]));
    assert!(fs::read(&of_tars).unwrap() == fs::read(&out).unwrap(), "bootstraps or tars: the same");

    let point = image.path("mnt");
    let words = ["mount-args".as_ref(), "--mount-point".as_ref(), point.as_os_str(), out.as_ref()];
    let commands = ok(words);
    let direct = commands.lines().last().unwrap();
    let tars = direct.split([',', ' ']).filter_map(|word| word.strip_prefix("device="));
    image.expect_merged(&Erofs::new(&out).devices(tars).mount().unwrap());

    // And as they stand.
    fs::create_dir(&point).unwrap();
    let script = format!("set -e\n{commands}");
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success(), "{commands}");
    let shown = dump(&point);
    assert!(Command::new("umount").arg(&point).status().unwrap().success());
    image.expect_shown(&shown.unwrap());
}

#[test]
fn forms_of_metadata_are_asked_for() {
    let image = Image::new();
    // Of a disk, which is one device; and of a bootstrap.
    for (flags, disk, bootstrap) in [
        (&[][..], "", "chunked_file device_table"),
        (&["--plain-bodies"], "", "device_table"),
        (&["--chunk-indexes"], "chunked_file", "chunked_file device_table"),
        (&["--compact"], "bit48", "device_table bit48"),
        (
            &["--compact", "--chunk-indexes"],
            "chunked_file bit48",
            "chunked_file device_table bit48",
        ),
    ] {
        let features = |out: &Path| {
            let report = json(&ok(["inspect".as_ref(), "--json".as_ref(), out.as_os_str()]));
            report[0]["feature_incompat"].as_str().unwrap().to_owned()
        };
        let out = image.path("image.disk");
        let args = [&["merge", "--disk", "-o", out.to_str().unwrap()], flags].concat();
        ok(image.over_tars(&args));
        assert_eq!(features(&out), disk, "{flags:?}");
        image.expect_merged(&mounted(&out));
        let out = image.path("image.erofs");
        let args = [&["merge", "-o", out.to_str().unwrap()], flags].concat();
        ok(image.over_tars(&args));
        assert_eq!(features(&out), bootstrap, "{flags:?}");
        image.expect_merged(&Erofs::new(&out).devices(&image.tars).mount().unwrap());
    }
}

#[test]
fn image_modes() {
    let image = Image::new();
    for placement in ["metadata-first", "data-first"] {
        let export = |mode: &str| {
            let out = image.path(&format!("{placement}-{mode}"));
            let args = ["export", "--mode", mode, "--json", "--placement", placement, "-o"];
            let args = [&args[..], &[out.to_str().unwrap()]].concat();
            let report = json(&ok(image.over_tars(&args))).remove(0);
            assert_eq!(report["size"], fs::metadata(&out).unwrap().len(), "{mode}");
            (out, report)
        };
        let (disk, report) = export("image_block");
        assert_eq!(report["verity"], Value::Null);
        image.expect_merged(&mounted(&disk));

        let (sealed, report) = export("image_block_with_verity");
        verify(&sealed, &sealed, &report["verity"]);
        image.expect_merged(&mounted(&sealed));
        let plain = fs::read(&disk).unwrap();
        assert_eq!(fs::read(&sealed).unwrap()[..plain.len()], plain, "the data is the same");
        let root = report["verity"]["root_hash"].as_str().unwrap();

        let (tree, report) = export("image_verity_only");
        assert_eq!(report["verity"]["root_hash"], root);
        verify(&disk, &tree, &report["verity"]);

        let hash = ["verity", "verify", "--hash", tree.to_str().unwrap(), disk.to_str().unwrap()];
        ok([&hash[..], &[root]].concat());
        let commands = ok(["mount-args", "--root", root, sealed.to_str().unwrap()]);
        assert!(commands.starts_with("veritysetup open "), "{commands}");
        // Without it the mount goes past the tree, which is said, where there is one.
        for (path, said) in [(&sealed, true), (&disk, false)] {
            let ran = run(["mount-args", path.to_str().unwrap()]);
            assert_eq!((ran.code, ran.stderr.contains("is sealed")), (0, said), "{}", ran.stderr);
        }
        ok(["verity", "verify", sealed.to_str().unwrap(), root]);
        ok(image.over_tars(&["check", disk.to_str().unwrap(), "--against"]));
    }
}

#[test]
fn layer_modes_make_a_file_each() {
    let image = Image::new();
    let export = |mode: &str| {
        let out = image.path(mode);
        let args = ["export", "--mode", mode, "--json", "-o", out.to_str().unwrap()];
        let reports = json(&ok(image.over_tars(&args)));
        assert_eq!(reports.len(), image.tars.len());
        assert_eq!(fs::read_dir(&out).unwrap().count(), image.tars.len());
        let path = |report: &Value| PathBuf::from(report["path"].as_str().unwrap());
        reports.into_iter().map(|report| (path(&report), report)).collect::<Vec<_>>()
    };
    let disks = export("layer_block");
    let sealed = export("layer_block_with_verity");
    let trees = export("layer_verity_only");
    for index in 0..disks.len() {
        image.expect_layer(index, &mounted(&disks[index].0));
        image.expect_layer(index, &mounted(&sealed[index].0));
        verify(&sealed[index].0, &sealed[index].0, &sealed[index].1["verity"]);
        verify(&disks[index].0, &trees[index].0, &trees[index].1["verity"]);
    }

    // Layer disks are layers themselves.
    let merged = image.path("of-disks");
    let disks = disks.iter().map(|(path, _)| path.as_os_str());
    let merge = ["merge".as_ref(), "--disk".as_ref(), "-o".as_ref(), merged.as_os_str()];
    ok(merge.into_iter().chain(disks));
    image.expect_merged(&mounted(&merged));
}

#[test]
fn a_bootstrap_over_layers_disks() {
    let image = Image::new();
    let mut disks = Vec::new();
    for tar in &image.tars {
        let disk = tar.with_extension("disk");
        let layer = ["layer", "--disk", "--placement", "data-first", "-o"].map(OsStr::new);
        ok(layer.into_iter().chain([disk.as_os_str(), tar.as_os_str()]));
        disks.push(disk);
    }
    let out = image.path("over-disks.erofs");
    let merge = ["merge", "--json", "-o", out.to_str().unwrap()].map(OsStr::new);
    let report = json(&ok(merge.into_iter().chain(disks.iter().map(|disk| disk.as_os_str()))));
    let tags: Vec<_> = image.stack.layers.iter().map(|layer| digest(&layer.tar)).collect();
    let devices = report[0]["devices"].as_array().unwrap().iter().map(|device| {
        assert_eq!(device["base_offset"], 4096);
        &disks[tags.iter().position(|tag| device["tag"] == tag.as_str()).unwrap()]
    });
    let devices: Vec<_> = devices.collect();

    let mut words = vec!["mount-args".as_ref(), out.as_os_str()];
    for disk in &devices {
        words.extend(["--device".as_ref(), disk.as_os_str()]);
    }
    let commands = ok(&words);
    let direct = commands.lines().last().unwrap();
    let shown = direct.split([',', ' ']).filter_map(|word| word.strip_prefix("device="));
    image.expect_merged(&Erofs::new(&out).devices(shown).mount().unwrap());

    assert_eq!(run(&words[..words.len() - 2]).code, 2, "one too few");
    assert_eq!(run(words[..2].to_vec()).code, 1, "no tag finds them");
    let short = image.path("short");
    fs::write(&short, [0; 5000]).unwrap();
    words.pop();
    words.push(short.as_os_str());
    assert_eq!(run(&words).code, 1);
}

/// What mount(8) takes: with fsconfig(2) 255 bytes for a device, before that 4095 for all of them.
#[test]
fn commands_for_long_paths_and_many_devices() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (tar, boot) = (path("one.tar"), path("one.erofs"));
    fs::write(&tar, TarBuilder::new().file("f", "x").finish()).unwrap();
    ok(["layer".as_ref(), "-o".as_ref(), boot.as_os_str(), tar.as_os_str()]);
    let taken = 255 - dir.path().as_os_str().len() - "//one.tar".len();
    for (len, direct) in [(taken, true), (taken + 1, false)] {
        let deep = path(&"d".repeat(len)).join("one.tar");
        fs::create_dir(deep.parent().unwrap()).unwrap();
        fs::copy(&tar, &deep).unwrap();
        let words = ["mount-args".as_ref(), "--device".as_ref(), deep.as_os_str()];
        let commands = ok(words.into_iter().chain([boot.as_os_str()]));
        assert_eq!(commands.contains("the files themselves"), direct, "{len}\n{commands}");
        let Some(line) = commands.lines().last().filter(|_| direct) else { continue };
        assert!(line.contains(&format!("device={}", deep.display())), "{commands}");
        // The kernel takes a value of this length.
        let mounted = Erofs::new(&boot).devices([&deep]).mount().unwrap();
        assert_eq!(fs::read(mounted.path().join("f")).unwrap(), b"x");
    }
    for (count, said) in [(204, false), (205, true)] {
        let all = path("all.erofs");
        let tars = (0..count).map(|index| {
            let tar = path(&format!("{index}.tar"));
            let body = index.to_string();
            fs::write(&tar, TarBuilder::new().file(&body, body.as_str()).finish()).unwrap();
            tar
        });
        let tars: Vec<_> = tars.collect();
        let words = ["merge".as_ref(), "-o".as_ref(), all.as_os_str()];
        ok(words.into_iter().chain(tars.iter().map(|tar| tar.as_os_str())));
        let commands = ok(["mount-args".as_ref(), all.as_os_str()]);
        assert_eq!(commands.contains("4095"), said, "{count}\n{commands}");
    }
}

/// The kernel reads whole sectors only, of a file as of a loop device.
#[test]
fn commands_for_a_tar_that_ends_within_a_sector() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (tar, boot) = (path("one.tar"), path("one.erofs"));
    let mut bytes = TarBuilder::new().file("f", "x".repeat(100)).finish();
    bytes.truncate(512 + 100);
    fs::write(&tar, bytes).unwrap();
    let layer = ["layer", "-o"].map(OsStr::new).into_iter().chain([boot.as_os_str()]);
    let ran = run(layer.chain([tar.as_os_str()]));
    assert!(ran.code == 0 && ran.stderr.contains("has 612 bytes"), "{}", ran.stderr);
    let ran = run(["mount-args".as_ref(), boot.as_os_str()]);
    assert!(ran.code == 1 && ran.stderr.contains("has 612 bytes"), "{}", ran.stderr);
    // As the kernel has it.
    let mounted = Erofs::new(&boot).devices([&tar]).mount().unwrap();
    assert!(fs::read(mounted.path().join("f")).is_err());
    // What the message says to do.
    let (padded, disk) = (path("padded"), path("disk"));
    fs::copy(&tar, &padded).unwrap();
    fs::File::options().write(true).open(&padded).unwrap().set_len(1024).unwrap();
    ok(["mount-args".as_ref(), "--device".as_ref(), padded.as_os_str(), boot.as_os_str()]);
    let mounted = Erofs::new(&boot).devices([&padded]).mount().unwrap();
    assert_eq!(fs::read(mounted.path().join("f")).unwrap(), [b'x'; 100]);
    run(["merge".as_ref(), "--disk".as_ref(), "-o".as_ref(), disk.as_os_str(), tar.as_os_str()]);
    assert_eq!(fs::read(self::mounted(&disk).path().join("f")).unwrap(), [b'x'; 100]);
}

#[test]
fn twice_is_the_same() {
    let image = Image::new();
    let once = |name: &str| {
        let out = image.path(name);
        let args = ["export", "--mode", "image_block_with_verity", "-o", out.to_str().unwrap()];
        ok(image.over_tars(&args));
        fs::read(&out).unwrap()
    };
    assert!(once("one") == once("two"));
}

#[test]
fn verity_format_is_what_veritysetup_verifies() {
    let image = Image::new();
    let data = image.path("data");
    fs::write(&data, vec![7; 100_000]).unwrap();
    let (path, tree) = (data.to_str().unwrap(), image.path("tree"));
    let hash = tree.to_str().unwrap();
    let args = ["verity", "format", "--json", "--salt", "00ff", "--hash", hash, path];
    let report = json(&ok(args)).remove(0);
    verify(&data, &tree, &report);
    assert_eq!(report["salt"], "00ff");
    let mapped = image.path("tree-mapped");
    let args =
        ["verity", "format", "--map", "--salt", "00ff", "--hash", mapped.to_str().unwrap(), path];
    ok(args);
    assert!(fs::read(&mapped).unwrap() == fs::read(&tree).unwrap(), "read or mapped: the same");
    let root = report["root_hash"].as_str().unwrap();
    let args = ["verity", "verify", "--salt", "00ff", "--hash", hash, path, root];
    ok(args);
    let mut bytes = fs::read(&data).unwrap();
    bytes[5000] ^= 1;
    fs::write(&data, bytes).unwrap();
    assert_eq!(run(args).code, 1);
}

/// The UUID of a layer's image is containerd's, where its digest is given; the value is that of
/// Python's `uuid.uuid5`.
#[test]
fn a_digest_gives_the_uuid_that_containerd_gives() {
    let image = Image::new();
    let out = image.path("out").to_str().unwrap().to_owned();
    let tar = image.tars[0].to_str().unwrap();
    let layer = |uuid: &str| run(["layer", "--disk", "--uuid", uuid, "-o", &out, tar]);
    let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let ran = layer(&format!("blob:{empty}"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report = &json(&ok(["inspect", "--json", &out]))[0];
    assert_eq!(report["uuid"], "0f8a237d-48ca-5305-ba9f-d2efb00fcd98");
    for bad in ["blob:", "blob:sha256:00", &empty.to_uppercase(), &empty[7..], "blob:md5:00"] {
        assert_eq!(layer(bad).code, 2, "{bad}");
    }
}
