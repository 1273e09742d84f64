//! `verity format` in place: a tree is there whole, or the next run knows that it is not.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::modes::verify;
use crate::run::{Image, json, ok, run, tool};

/// Data that does not end with a block.
fn data(bytes: usize) -> Vec<u8> {
    let mut rng = testkit::rng::Rng::new(3);
    rng.bytes(bytes)
}

fn format(path: &Path) -> Command {
    let mut command = Command::new(tool());
    command.args(["verity", "format", "--json"]).arg(path);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn killed_at_any_moment_the_next_run_gives_the_right_root() {
    const KILLS: u32 = 50;
    let image = Image::new();
    let path = image.path("data");
    let bytes = data((6 << 20) + 100);
    fs::write(&path, &bytes).unwrap();
    let started = Instant::now();
    let report = ok(["verity".as_ref(), "format".as_ref(), "--json".as_ref(), path.as_os_str()]);
    let takes = started.elapsed();
    let report = &json(&report)[0];
    verify(&path, &path, report);
    let sealed = fs::read(&path).unwrap();
    assert!(sealed.starts_with(&bytes));

    let (mut killed, mut unfinished) = (0, 0);
    for n in 0.. {
        if killed == KILLS {
            break;
        }
        assert!(n < 20 * KILLS, "{killed} of {n} were killed in time");
        fs::write(&path, &bytes).unwrap();
        let mut child = format(&path).spawn().unwrap();
        std::thread::sleep(takes * (n % KILLS) / KILLS);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let left = fs::read(&path).unwrap();
        assert!(left.starts_with(&bytes), "the data is as it was");
        if left.len() == sealed.len() {
            assert!(left == sealed, "what looks whole is whole");
            continue;
        }
        unfinished += u32::from(left.len() > bytes.len());
        let again = ok(["verity".as_ref(), "format".as_ref(), "--json".as_ref(), path.as_os_str()]);
        assert_eq!(json(&again)[0]["root_hash"], report["root_hash"], "kill {n}");
        assert!(fs::read(&path).unwrap() == sealed, "kill {n}");
    }
    assert!(unfinished > 5, "{unfinished} left a part of a tree");
}

#[test]
fn a_part_of_a_tree_is_told_from_data() {
    let image = Image::new();
    let path = image.path("data");
    let bytes = data(5 << 20);
    let words = |path: &Path| ["verity".into(), "format".into(), path.as_os_str().to_owned()];
    // Until one is stopped in the middle.
    let mut left = Vec::new();
    for n in 0..1000 {
        fs::write(&path, &bytes).unwrap();
        let mut child = format(&path).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(2000 + 400 * (n % 100)));
        child.kill().unwrap();
        child.wait().unwrap();
        left = fs::read(&path).unwrap();
        if left.len() > bytes.len() && left[left.len() - 80..].starts_with(b"tarfs: unfinished") {
            break;
        }
    }
    assert!(left.len() > bytes.len(), "never stopped in the middle");
    let blocks = (bytes.len() / 512).to_string();
    let verify = ["verity", "verify", "--data-blocks", &blocks, path.to_str().unwrap()];
    let ran = run([&verify[..], &[&"0".repeat(64)]].concat());
    assert!(ran.code == 1 && ran.stderr.contains("a run that was ended"), "{}", ran.stderr);
    let ran = run(words(&path));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("a run that was ended"), "{}", ran.stderr);
    // A mark that is not where it says is data.
    fs::write(&path, &left[512..]).unwrap();
    let ran = run(words(&path));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn what_is_sealed_is_not_sealed_again() {
    let image = Image::new();
    let disk = image.path("disk");
    ok([
        "layer".as_ref(),
        "--disk".as_ref(),
        "-o".as_ref(),
        disk.as_os_str(),
        image.tars[0].as_os_str(),
    ]);
    ok(["verity".as_ref(), "format".as_ref(), disk.as_os_str()]);
    let before = fs::read(&disk).unwrap();
    let ran = run(["verity".as_ref(), "format".as_ref(), disk.as_os_str()]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("already"), "{}", ran.stderr);
    assert!(fs::read(&disk).unwrap() == before);
}

/// A bootstrap with a tree behind it could be long enough for its tars to be in it.
#[test]
fn a_bootstrap_does_not_become_a_disk() {
    let image = Image::new();
    let (tar, boot) = (image.path("small.tar"), image.path("small.erofs"));
    fs::write(&tar, testkit::tarball::TarBuilder::new().file("f", [7; 100]).finish()).unwrap();
    let layer = ["layer".as_ref(), "-o".as_ref(), boot.as_os_str(), tar.as_os_str()];
    ok(layer);
    let before = fs::read(&boot).unwrap();
    let ran = run(["verity".as_ref(), "format".as_ref(), boot.as_os_str()]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("bootstrap"), "{}", ran.stderr);
    assert!(fs::read(&boot).unwrap() == before);
    let hash = image.path("hash");
    ok([
        "verity".as_ref(),
        "format".as_ref(),
        "--hash".as_ref(),
        hash.as_os_str(),
        boot.as_os_str(),
    ]);
    assert_eq!(ok(["cat".as_ref(), boot.as_os_str(), "f".as_ref()]).into_bytes(), [7; 100]);
}
