//! What goes wrong: one line that names the file, the right code, and nothing left behind.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::mount;

use crate::run::{Image, Ran, ok, run, tool};

/// Runs the tool, which must fail, and leave a directory as it was.
#[track_caller]
fn fails<S: AsRef<OsStr>>(dir: &Path, code: i32, args: impl IntoIterator<Item = S>) -> Ran {
    let list = || {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = list();
    let ran = run(args);
    assert_eq!(ran.code, code, "{}", ran.stderr);
    assert_eq!(list(), before, "something was left: {}", ran.stderr);
    if code == 1 {
        assert!(ran.stderr.starts_with("tarfs: "), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

#[test]
fn a_truncated_tar() {
    let image = Image::new();
    let tar = testkit::tarball::TarBuilder::new().dir("d", 0o755).file("d/f", [1; 5000]).finish();
    let (cut, out) = (image.path("cut.tar"), image.path("out"));
    fs::write(&cut, "").unwrap();
    // Two headers, and a body up to 6024. A tar may end between entries, without zero blocks.
    for len in (1..6024).step_by(97).filter(|len| *len != 512) {
        fs::write(&cut, &tar[..len]).unwrap();
        let args = ["layer".as_ref(), "-o".as_ref(), out.as_os_str(), cut.as_os_str()];
        let ran = fails(image.dir.path(), 1, args);
        assert!(ran.stderr.contains("cut.tar"), "{}", ran.stderr);
    }
}

/// Bootstraps are read by several threads, and merged meanwhile: what is told of is still the lowest that is wrong.
#[test]
fn of_many_bootstraps_the_lowest_that_is_wrong() {
    let image = Image::new();
    let tar =
        |n: usize| testkit::tarball::TarBuilder::new().file(format!("d/f{n:02}"), b"").finish();
    let text = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let bootstraps: Vec<String> = (0..40)
        .map(|n| {
            let (from, to) = (image.path("a.tar"), text(image.path(&format!("b{n}.erofs"))));
            fs::write(&from, tar(n)).unwrap();
            ok(["layer", "-o", &to, from.to_str().unwrap()]);
            fs::remove_file(from).unwrap();
            to
        })
        .collect();
    let out = text(image.path("out"));
    let words =
        |layers: &[String]| [&["merge".to_owned(), "-o".to_owned(), out.clone()], layers].concat();
    ok(words(&bootstraps));
    assert_eq!(ok(["ls", &out, "d"]).lines().count(), 40);
    fs::remove_file(&out).unwrap();
    let damaged = |n: usize| {
        let path = text(image.path(&format!("b{n}.erofs")));
        let mut bytes = fs::read(&path).unwrap();
        // The root's number, which then is that of no inode.
        bytes[1024 + 14..1024 + 16].fill(0xff);
        bytes[1024 + 16..1024 + 20].fill(0xff);
        fs::write(path, bytes).unwrap();
    };
    let mut layers = bootstraps.clone();
    let told = |layers: &[String], name: &str| {
        let ran = fails(image.dir.path(), 1, words(layers));
        assert!(ran.stderr.contains(&format!("{name}: ")), "{name}: {}", ran.stderr);
    };
    // A limit of the merge, which is reached early, stands behind what is wrong with a file.
    let limit = ["--limit".to_owned(), "max_inodes=10".to_owned()];
    let ran = fails(image.dir.path(), 1, words(&[&limit[..], &layers].concat()));
    assert!(ran.stderr.contains("max_inodes of 10"), "{}", ran.stderr);
    damaged(30);
    told(&layers, "b30.erofs");
    told(&[&limit[..], &layers].concat(), "b30.erofs");
    layers[35] = text(image.path("missing.erofs"));
    told(&layers, "b30.erofs");
    layers[20] = text(image.path("gone.erofs"));
    told(&layers, "gone.erofs");
    damaged(3);
    told(&layers, "b3.erofs");
    fs::write(image.path("c.tar"), [7; 1024]).unwrap();
    layers[2] = text(image.path("c.tar"));
    told(&layers, "c.tar");
}

#[test]
fn a_body_past_the_end_of_the_file_is_noticed() {
    let image = Image::new();
    // Long enough that the body is passed over, not read.
    let whole = testkit::tarball::TarBuilder::new().file("big", vec![1; 1 << 20]).finish();
    let cut = image.path("cut.tar");
    fs::write(&cut, &whole[..700_000]).unwrap();
    let ran = fails(image.dir.path(), 1, ["layer".as_ref(), cut.as_os_str()]);
    assert!(ran.stderr.contains("big"), "{}", ran.stderr);
}

#[test]
fn flipped_header_bytes() {
    let image = Image::new();
    let tar = &image.stack.layers[0].tar;
    let (bad, out) = (image.path("bad.tar"), image.path("out"));
    fs::write(&bad, "").unwrap();
    for at in (0..512).step_by(37) {
        let mut bytes = tar.clone();
        bytes[at] ^= 0x55;
        fs::write(&bad, bytes).unwrap();
        fails(
            image.dir.path(),
            1,
            ["layer".as_ref(), "-o".as_ref(), out.as_os_str(), bad.as_os_str()],
        );
    }
}

#[test]
fn missing_and_unfit_files() {
    let image = Image::new();
    let dir = image.dir.path();
    let out = image.path("out");
    let out = out.to_str().unwrap();
    let tar = image.tars[0].to_str().unwrap();
    for args in [
        &["merge", "-o", out, "/no/such.tar"][..],
        &["merge", "-o", out, "/"],
        &["merge", "-o", "/no/such/dir/out", tar],
        &["merge", "-o", "/dev/null", tar],
        &["merge", "-o", out, "oci:/no/such"],
        &["merge", "-o", out, "docker-archive:/no/such"],
        &["merge", "-o", out, &format!("docker-archive:{tar}")],
        &["export", "--mode", "image_block", "-o", "/proc/out", tar],
        &["export", "--mode", "layer_block", "-o", "/no/such/dir", tar, tar],
        &["inspect", tar],
        &["check", tar],
        &["mount-args", tar],
    ] {
        fails(dir, 1, args);
    }
}

#[test]
fn command_lines_that_make_no_sense() {
    let image = Image::new();
    let dir = image.dir.path();
    let tar = image.tars[0].to_str().unwrap();
    let out = image.path("out");
    let out = out.to_str().unwrap();
    for args in [
        &[][..],
        &["layer"],
        &["layer", "-"],
        &["merge", "-o", out],
        &["merge", "-o", tar, tar],
        &["export", "--mode", "other", "-o", out, tar],
        &["export", "--mode", "image_block", "--salt", "0", "-o", out, tar],
        &["layer", "--block-size", "600", tar],
        &["layer", "--align", "100", tar],
        &["verity", "verify", tar, "00"],
    ] {
        fails(dir, 2, args);
    }
}

#[test]
fn a_full_disk() {
    let image = Image::new();
    let small = mount::small_tmpfs(64 << 10).unwrap();
    let big = image.path("big.tar");
    let body = vec![1; 200_000];
    fs::write(&big, testkit::tarball::TarBuilder::new().file("big", &body).finish()).unwrap();
    let out = small.path().join("out");
    for mode in ["image_block", "image_block_with_verity", "layer_block"] {
        let args = ["export", "--mode", mode, "-o", out.to_str().unwrap(), big.to_str().unwrap()];
        let ran = fails(small.path(), 1, args);
        assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
    }
    // The spooled tar of a stream is too large too.
    let zst = image.path("big.tar.zst");
    fs::write(&zst, zstd::encode_all(&fs::read(&big).unwrap()[..], 1).unwrap()).unwrap();
    let args = ["layer".as_ref(), "-o".as_ref(), out.as_os_str(), zst.as_os_str()];
    fails(small.path(), 1, args);
}

#[test]
fn killed_at_work_it_leaves_nothing() {
    let image = Image::new();
    let dir = image.path("alone");
    fs::create_dir(&dir).unwrap();
    let out = dir.join("out");
    let tar = &image.stack.layers[0].tar;
    for disk in [&[][..], &["--disk"], &["--disk", "--placement", "data-first", "--verity"]] {
        let mut child = Command::new(tool())
            .arg("layer")
            .args(disk)
            .args(["-o".as_ref(), out.as_os_str(), "-".as_ref()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&tar[..tar.len() / 2]).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none(), "it waits for the rest");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "{disk:?}");
    }
}

#[test]
fn what_is_there_stays_until_it_is_replaced_whole() {
    let image = Image::new();
    let dir = image.path("alone");
    fs::create_dir(&dir).unwrap();
    let out = dir.join("out");
    fs::write(&out, "old").unwrap();
    let bad = image.path("bad.tar");
    fs::write(&bad, [7; 700]).unwrap();
    fails(&dir, 1, ["layer".as_ref(), "-o".as_ref(), out.as_os_str(), bad.as_os_str()]);
    assert_eq!(fs::read(&out).unwrap(), b"old");
    ok(["layer".as_ref(), "-o".as_ref(), out.as_os_str(), image.tars[0].as_os_str()]);
    assert_ne!(fs::read(&out).unwrap(), b"old");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
}

#[test]
fn where_nobody_can_be_told_it_fails_all_the_same() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let image = Image::new();
    let tar = image.tars[0].as_os_str();
    let code = |command: &mut Command| command.status().unwrap().code();
    assert_eq!(code(Command::new(tool()).args(["ls", "/no/such"]).stderr(full())), Some(1));
    assert_eq!(code(Command::new(tool()).arg("no").stderr(full())), Some(2));
    let quiet = |args: &[&str]| {
        let mut command = Command::new(tool());
        command.args(args).arg(tar).stdout(full()).stderr(Stdio::null());
        code(&mut command)
    };
    assert_eq!(quiet(&["ls"]), Some(1));
    assert_eq!(quiet(&["layer", "--disk", "-o", "-"]), Some(1));
    // Not one byte at its end: a warning, which cannot be written either.
    let cut = image.path("cut.tar");
    fs::write(&cut, &fs::read(&image.tars[0]).unwrap()[..512]).unwrap();
    assert_eq!(
        code(Command::new(tool()).arg("layer").arg(&cut).stderr(full()).stdout(Stdio::null())),
        Some(0)
    );
}
