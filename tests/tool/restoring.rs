//! `tarfs extract` and `tarfs tar`: what comes out is what a mount shows, by the kernel and by GNU tar.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::dump::{Ignore, Tree, diff, dump};
use testkit::mount::{self, Erofs, Mounted};
use testkit::oci::small_image;
use testkit::stacks::Stack;
use testkit::tarball::TarBuilder;

use crate::run::{Image, Place, digest, json, mounted, ok, run, tool};

#[path = "../kernels/layers.rs"]
#[allow(dead_code, reason = "the tests of kernels use all of it")]
mod layers;

/// Layers with one of everything, random ones, and one of holes.
fn stacks() -> Vec<Image> {
    let mut stacks = vec![Stack { seed: 0, layers: layers::rich() }];
    stacks.extend((0..6).map(Stack::random));
    stacks.into_iter().map(of_stack).collect()
}

fn of_stack(stack: Stack) -> Image {
    let dir = tempfile::TempDir::with_prefix("tarfs-tool-").unwrap();
    let tars = stack.layers.iter().enumerate().map(|(index, layer)| {
        let path = dir.path().join(format!("{index}.tar"));
        fs::write(&path, &layer.tar).unwrap();
        path
    });
    let tars = tars.collect();
    Image { dir, stack, tars }
}

/// A directory's own number of links is the filesystem's.
#[track_caller]
fn same(shown: &Path, expected: &Tree) {
    let lines = diff(&dump(shown).unwrap(), expected, &Ignore::nothing().dir_nlink());
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// GNU tar, with all that it restores.
fn gnu_tar(tar: &[u8]) -> Mounted {
    let scratch = mount::tmpfs().unwrap();
    let out = scratch.path().join("out");
    fs::create_dir(&out).unwrap();
    let mut command = Command::new("tar");
    command.args([
        "-x",
        "-p",
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=*",
        "--warning=no-timestamp",
        "-f",
        "-",
        "-C",
    ]);
    let mut child = command.arg(&out).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), tar).unwrap();
    assert!(child.wait().unwrap().success());
    scratch
}

fn bytes(args: &[&str]) -> Vec<u8> {
    let done = Command::new(tool()).args(args).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

#[test]
fn what_is_extracted_is_what_is_mounted() {
    for image in stacks() {
        let text = |name: &str| image.path(name).to_str().unwrap().to_owned();
        let (disk, boot) = (text("disk"), text("boot"));
        ok(image.over_tars(&["merge", "--disk", "-o", &disk]));
        ok(image.over_tars(&["merge", "-o", &boot]));
        let expected = dump(mounted(Path::new(&disk)).path()).unwrap();
        for from in [&disk, &boot] {
            let scratch = mount::tmpfs().unwrap();
            let to = scratch.path().join("a/b");
            let report =
                json(&ok(["extract", "--json", from, "-C", to.to_str().unwrap()])).remove(0);
            assert_eq!(report["names"].as_u64().unwrap() as usize, expected.paths().count() - 1);
            assert_eq!(report["missing"]["xattrs"], 0);
            same(&to, &expected);
            // A second time over it: what is there is replaced.
            ok(["extract", from, "-C", to.to_str().unwrap()]);
            same(&to, &expected);
        }
        // Back to a tar: for GNU tar, and for ourselves.
        let tar = bytes(&["tar", &disk]);
        assert_eq!(digest(&tar), digest(&bytes(&["tar", &boot])));
        same(&gnu_tar(&tar).path().join("out"), &expected);
        let (again, file) = (text("again"), text("again.tar"));
        let said = json(&ok(["tar", "--json", &disk, "-o", &file])).remove(0);
        assert!(fs::read(&file).unwrap() == tar);
        // The root has an entry too, and every name.
        let names = said["entries"].as_u64().unwrap();
        assert_eq!(
            (names, &said["bytes"], &said["path"]),
            (expected.0.len() as u64, &tar.len().into(), &file.as_str().into())
        );
        assert_eq!(run(["tar", "--json", &disk]).code, 2, "a tar is on standard output");
        ok(["layer", "--disk", "-o", &again, &file]);
        same(mounted(Path::new(&again)).path(), &expected);
    }
}

/// Of a layer alone: whiteouts are devices in a directory, as in a mount, and names in a tar.
#[test]
fn a_layer_alone() {
    let image = of_stack(Stack { seed: 0, layers: small_image() });
    for (index, tar) in image.tars.iter().enumerate() {
        let (boot, tar) = (image.path("boot"), tar.to_str().unwrap());
        ok(["layer", "-o", boot.to_str().unwrap(), tar]);
        let shown = dump(Erofs::new(&boot).devices([tar]).mount().unwrap().path()).unwrap();
        let scratch = mount::tmpfs().unwrap();
        let out = scratch.path().to_str().unwrap();
        ok(["extract", boot.to_str().unwrap(), "-C", out]);
        same(scratch.path(), &shown);
        let (again, back) = (image.path("again"), image.path("back.tar"));
        ok(["tar", tar, "-o", back.to_str().unwrap()]);
        ok(["layer", "-o", again.to_str().unwrap(), back.to_str().unwrap()]);
        let again = Erofs::new(&again).devices([&back]).mount().unwrap();
        let lines = diff(&dump(again.path()).unwrap(), &shown, &Ignore::nothing());
        assert!(lines.is_empty(), "layer {index}: {}", lines.join("\n"));
    }
}

#[test]
fn holes_stay_holes() {
    let place = Place::new();
    let tar = place.put("a.tar", &TarBuilder::new().file("none", [7; 5000]).finish());
    // GNU tar finds the holes of a file, and its form is read back.
    fs::File::create(place.path("all")).unwrap().set_len(1 << 30).unwrap();
    let file = fs::File::create(place.path("sparse")).unwrap();
    file.set_len(3 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[9; 6000], 1 << 20).unwrap();
    let more = place.text("b.tar");
    let status = Command::new("tar")
        .args(["--sparse", "--format=pax", "-cf", &more, "-C", &place.text(""), "sparse", "all"])
        .status();
    assert!(status.unwrap().success());
    let boot = place.text("boot");
    ok(["merge", "-o", &boot, &tar, &more]);
    let written = bytes(&["tar", &boot]);
    assert!(written.len() < 100_000, "{}", written.len());
    let by_gnu = gnu_tar(&written);
    ok(["extract", &boot, "-C", &place.text("out")]);
    for dir in [place.path("out"), by_gnu.path().join("out")] {
        let found = |name: &str| fs::metadata(dir.join(name)).unwrap();
        assert_eq!((found("all").len(), found("all").blocks()), (1 << 30, 0));
        assert!(found("sparse").blocks() * 512 < 100_000);
        assert_eq!(fs::read(dir.join("sparse")).unwrap(), fs::read(place.path("sparse")).unwrap());
        assert_eq!(fs::read(dir.join("none")).unwrap(), [7; 5000]);
    }
}

#[test]
fn a_part_of_it() {
    let place = Place::new();
    let tar = TarBuilder::new().dir("etc", 0o750).file("etc/a", "a").file("etc/b", "b");
    let tar = tar.file("usr/bin/x", "x").hardlink("usr/y", "usr/bin/x").finish();
    let (tar, out) = (place.put("tar", &tar), place.text("out"));
    let names = |args: &[&str]| {
        let _ = fs::remove_dir_all(&out);
        let said = ok([&["extract", "-v", &tar, "-C", &out][..], args].concat());
        said.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&["/etc/a", "usr//y"]), ["etc", "etc/a", "usr", "usr/y"]);
    assert_eq!(fs::metadata(place.path("out/etc")).unwrap().permissions().mode() & 0o7777, 0o750);
    assert_eq!(fs::read_to_string(place.path("out/usr/y")).unwrap(), "x");
    assert_eq!(names(&["etc"]), ["etc", "etc/a", "etc/b"]);
    assert_eq!(names(&["/"]).len(), 7);
    // The directory is the image's root only if all of it is put there.
    fs::set_permissions(&out, fs::Permissions::from_mode(0o1777)).unwrap();
    ok(["extract", &tar, "-C", &out, "usr/y"]);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o7777, 0o1777);
    ok(["extract", &tar, "-C", &out]);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o7777, 0o755);
    let mut list = Command::new("sh");
    list.args(["-c", "\"$0\" tar \"$1\" usr/bin | tar -t"]).arg(tool()).arg(&tar);
    let listed = String::from_utf8(list.output().unwrap().stdout).unwrap();
    assert_eq!(listed, "./\nusr/\nusr/bin/\nusr/bin/x\n");
    for command in [&["extract", &tar, "-C", &out, "etc/c"][..], &["tar", &tar, "etc/c"]] {
        let ran = run(command);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains("has no etc/c: "), "{}", ran.stderr);
    }
}

/// Links that lie in the directory lead nowhere: neither those of others nor those of the image.
#[test]
fn nothing_is_written_elsewhere() {
    let place = Place::new();
    let tar = TarBuilder::new().file("dir/file", "new").file("link", "new").file("again/file", "n");
    let tar = place.put("tar", &tar.hardlink("hard", "dir/file").finish());
    let (out, outside) = (place.path("out"), place.path("outside"));
    fs::create_dir(&out).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "old").unwrap();
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, out.join(name)).unwrap();
    link(&outside, "dir");
    link(&outside.join("file"), "link");
    link(&outside.join("file"), "hard");
    fs::write(out.join("again"), "a file where a directory is to be").unwrap();
    fs::write(out.join("kept"), "of somebody else").unwrap();
    ok(["extract", &tar, "-C", out.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "old");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    for name in ["dir/file", "link", "hard"] {
        assert_eq!(fs::read_to_string(out.join(name)).unwrap(), "new");
        assert!(!out.join(name).is_symlink());
    }
    assert!(out.join("again/file").is_file() && out.join("kept").is_file());
    // A directory with something in it goes for no file.
    fs::remove_file(out.join("link")).unwrap();
    fs::create_dir(out.join("link")).unwrap();
    let ran = run(["extract", &tar, "-C", out.to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("out/link: cannot be extracted: Is a directory"), "{}", ran.stderr);
}

/// Without root, what can't be done is counted, and told.
#[test]
fn without_root() {
    let place = Place::new();
    let tar = TarBuilder::new()
        .file("setuid", "x")
        .mode(0o4755)
        .file("file", "x")
        .xattr("trusted.x", "y")
        .chr("null", 1, 3)
        .fifo("fifo")
        .dir("closed", 0o500)
        .file("closed/in", "x");
    let tar = place.put("tar", &tar.finish());
    let program = place.path("tarfs");
    fs::copy(tool(), &program).unwrap();
    fs::create_dir(place.path("home")).unwrap();
    for name in ["", "home", "tar"] {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o777)).unwrap();
    }
    let mut command = Command::new(&program);
    command.args(["extract", "--json", &tar, "-C", &place.text("home/out")]).uid(65534).gid(65534);
    let ran = command.output().unwrap();
    let (said, error) =
        (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert_eq!(ran.status.code(), Some(1), "{error}");
    let missing = &json(&said)[0]["missing"];
    assert_eq!((&missing["devices"], &missing["xattrs"]), (&1.into(), &1.into()), "{said}");
    assert!(error.contains("1 devices, which only root makes (the first: null)"), "{error}");
    assert!(error.contains("files are yours, and not of their owners"), "{error}");
    assert!(error.contains("1 extended attributes are not set"), "{error}");
    let found = fs::metadata(place.path("home/out/setuid")).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o7777), (65534, 0o755));
    assert!(place.path("home/out/closed/in").is_file());
    assert_eq!(fs::metadata(place.path("home/out/closed")).unwrap().mode() & 0o7777, 0o500);
    assert!(!place.path("home/out/null").exists());
}

/// A tree that is deeper than files may be open: GNU tar's is the same.
#[test]
fn deeper_than_files_may_be_open() {
    let place = Place::new();
    let mut tar = TarBuilder::new().dir("d", 0o750);
    let deep = ["d"; 700].join("/");
    // Names behind the way down, so that directories are come back to.
    for depth in (0..700).step_by(7) {
        let name = format!("{}e", &deep[..depth * 2]);
        tar = tar.file(&name, &name).hardlink(format!("{name}.hard"), &name);
    }
    let tar = tar.file(format!("{deep}/last"), "x").finish();
    let (path, out) = (place.put("tar", &tar), place.text("out"));
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 300 && exec \"$0\" extract \"$1\" -C \"$2\""]);
    let ran = command.arg(tool()).args([&path, &out]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let by_tar = gnu_tar(&bytes(&["tar", &path]));
    same(Path::new(&out), &dump(by_tar.path().join("out")).unwrap());
}

/// Whose files are not their owners' have no rights of whoever made the image: neither setuid bits nor capabilities.
#[test]
fn files_of_ones_own_have_no_capabilities() {
    let place = Place::new();
    let net_raw = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let tar = TarBuilder::new().file("ping", "x").xattr("security.capability", net_raw);
    let tar = place.put("tar", &tar.xattr("user.kept", "y").finish());
    let capabilities = |args: &[&str]| {
        let out = place.text("out");
        let _ = fs::remove_dir_all(&out);
        let said = ok([&["extract", "--json", &tar, "-C", &out][..], args].concat());
        let mut command = Command::new("getfattr");
        command.args(["-d", "-m", "-", "--absolute-names"]).arg(place.path("out/ping"));
        let shown = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert!(shown.contains("user.kept=\"y\""), "{shown}");
        (json(&said)[0]["missing"]["xattrs"].clone(), shown.contains("security.capability"))
    };
    assert_eq!(capabilities(&[]), (0.into(), true));
    assert_eq!(capabilities(&["--no-same-owner"]), (1.into(), false));
}
