//! Inputs that change while they are read: an error, and no output.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use testkit::tarball::TarBuilder;

use crate::run::{Image, Ran, digest, json, ok, run, tool};

/// The tool, which waits for a layer on standard input when it has read the one before.
fn started(args: &[&str]) -> Child {
    let mut command = Command::new(tool());
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until the tool sleeps in a read of standard input.
fn waits(child: &mut Child) {
    let until = Instant::now() + Duration::from_secs(20);
    let path = format!("/proc/{}/syscall", child.id());
    loop {
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
        // The number of the call, and its first argument: reading from file 0, or splicing from it.
        let call = fs::read_to_string(&path).unwrap_or_default();
        if !call.starts_with("running") && !call.is_empty() {
            std::thread::sleep(Duration::from_millis(100));
            let again = fs::read_to_string(&path).unwrap_or_default();
            if call == again {
                return;
            }
        }
        assert!(Instant::now() < until, "it never waits");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a command over `input` and standard input; `change` happens between the two.
fn changed(image: &Image, words: &[&str], input: &str, change: impl FnOnce()) -> Ran {
    let mut child = started(&[words, &[input, "-"]].concat());
    waits(&mut child);
    change();
    child.stdin.take().unwrap().write_all(&image.stack.layers[1].tar).unwrap();
    Ran::from(child.wait_with_output().unwrap())
}

/// Writes other bytes of the same length in place, and puts the time of content back.
fn rewrite(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    let before = file.metadata().unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    (&file).write_all(&bytes).unwrap();
    file.set_modified(before).unwrap();
}

#[test]
fn an_input_that_is_rewritten_is_noticed_by_every_command_that_makes_something() {
    for words in [
        &["merge", "-o"][..],
        &["merge", "--disk", "-o"],
        &["export", "--mode", "image_block", "-o"],
        &["export", "--mode", "image_block_with_verity", "-o"],
        &["export", "--mode", "image_verity_only", "-o"],
        &["export", "--mode", "image_block", "--form", "vmdk", "-o"],
        &["export", "--mode", "layer_block", "-o"],
    ] {
        let image = Image::new();
        let dir = image.path("alone");
        fs::create_dir(&dir).unwrap();
        let out = dir.join("out");
        let words = [words, &[out.to_str().unwrap()]].concat();
        let tar = image.tars[0].clone();
        let ran = changed(&image, &words, tar.to_str().unwrap(), || rewrite(&tar));
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("0.tar: changed while it was read"), "{}", ran.stderr);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "{words:?}");
        // And without a change it is made.
        let ran = changed(&image, &words, tar.to_str().unwrap(), || ());
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn whatever_changes() {
    type Change = fn(&Path);
    let changes: [(Change, &str); 4] = [
        (rewrite, "changed while"),
        (
            |path| drop(File::options().append(true).open(path).unwrap().write_all(b"x")),
            " now: it changed",
        ),
        (
            |path| {
                let other = path.with_extension("other");
                fs::copy(path, &other).unwrap();
                fs::rename(other, path).unwrap();
            },
            "was replaced",
        ),
        (|path| fs::remove_file(path).unwrap(), "is not any more"),
    ];
    for (change, why) in changes {
        let image = Image::new();
        let tar = image.tars[0].clone();
        let out = image.path("out");
        let words = ["merge", "--disk", "-o", out.to_str().unwrap()];
        let ran = changed(&image, &words, tar.to_str().unwrap(), || change(&tar));
        assert_eq!(ran.code, 1, "{why}");
        assert!(ran.stderr.contains("0.tar: "), "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert!(!out.exists());
    }
}

#[test]
fn archives_layouts_and_bootstraps_too() {
    for (prefix, arg, file) in [
        ("oci:", "l", "l/index.json".to_owned()),
        ("oci:", "l", "l/BLOB".to_owned()),
        ("docker-archive:", "save.tar", "save.tar".to_owned()),
        ("", "0.tar.zst", "0.tar.zst".to_owned()),
        ("", "0.tar.erofs", "0.tar.erofs".to_owned()),
    ] {
        let image = Image::new();
        let out = image.path("out");
        // The first layer, in all these forms.
        let tar = &image.stack.layers[0].tar;
        let id = digest(tar);
        testkit::oci::write_layout(&image.path("l"), &[tar]).unwrap();
        fs::write(image.path("0.tar.zst"), zstd::encode_all(&tar[..], 1).unwrap()).unwrap();
        ok(["layer", image.tars[0].to_str().unwrap()]);
        let archive = TarBuilder::new()
            .file("manifest.json", br#"[{"Config": "c", "Layers": ["l"]}]"#)
            .file("c", format!(r#"{{"rootfs": {{"diff_ids": ["sha256:{id}"]}}}}"#))
            .file("l", tar);
        fs::write(image.path("save.tar"), archive.finish()).unwrap();

        let file = image.path(&file.replace("BLOB", &format!("blobs/sha256/{id}")));
        let arg = format!("{prefix}{}", image.path(arg).display());
        let words = ["export", "--mode", "image_block", "-o", out.to_str().unwrap()];
        let ran = changed(&image, &words, &arg, || rewrite(&file));
        assert_eq!(ran.code, 1, "{file:?}");
        assert!(ran.stderr.contains(file.to_str().unwrap()), "{}", ran.stderr);
        assert!(!out.exists());
    }
}

#[test]
fn what_was_shown_of_a_tar_that_changed_is_an_error_too() {
    let image = Image::new();
    let tar = image.path("big.tar");
    let body = vec![7; 1 << 20];
    fs::write(&tar, TarBuilder::new().file("big", body).finish()).unwrap();
    ok(["layer", tar.to_str().unwrap()]);
    for changes in [false, true] {
        // It waits for somebody to read more than a pipe holds.
        let mut child = started(&["cat", &format!("{}.erofs", tar.display()), "big"]);
        waits(&mut child);
        if changes {
            rewrite(&tar);
        }
        let ran = Ran::from(child.wait_with_output().unwrap());
        let changed = ran.stderr.contains("big.tar: changed while it was read");
        assert_eq!((ran.code, changed), (i32::from(changes), changes), "{}", ran.stderr);
    }
}

/// A tar of one file of these bytes.
fn of(byte: u8) -> Vec<u8> {
    TarBuilder::new().file("f", vec![byte; 8 << 20]).finish()
}

/// Ends who writes, also when a test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_tar_that_is_rewritten_all_the_time_is_never_a_mix() {
    let image = Image::new();
    let (tar, out) = (image.path("f.tar"), image.path("out"));
    let states = [of(b'a'), of(b'b')];
    fs::write(&tar, &states[0]).unwrap();
    let (input, output) = (tar.to_str().unwrap(), out.to_str().unwrap());
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = Ends(&end);
        scope.spawn(|| {
            let file = File::options().write(true).open(&tar).unwrap();
            for state in states.iter().rev().cycle() {
                file.write_all_at(state, 0).unwrap();
                // Now and then there is time to read it all.
                std::thread::sleep(Duration::from_millis(60));
                if end.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        for words in [
            &["layer", "--disk", "--json", "-o", output, input][..],
            &[
                "layer",
                "--disk",
                "--placement",
                "data-first",
                "--verity",
                "--json",
                "-o",
                output,
                input,
            ],
            &["export", "--mode", "image_block", "--json", "-o", output, input],
            &["export", "--mode", "layer_block_with_verity", "--json", "-o", output, input],
        ]
        .repeat(5)
        {
            let _ = fs::remove_file(&out);
            let ran = run(words);
            if ran.code == 1 {
                assert!(ran.stderr.contains("f.tar"), "{}", ran.stderr);
                assert!(!out.exists(), "{words:?}");
                continue;
            }
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let disk = fs::read(&out).unwrap();
            let tag = json(&ran.stdout)[0]["devices"][0]["tag"].as_str().unwrap().to_owned();
            let holds =
                |state: &[u8]| disk.windows(state.len()).step_by(512).any(|part| part == state);
            let is = |state: &Vec<u8>| digest(state) == tag && holds(state);
            assert!(states.iter().any(is), "{words:?}: a mix of two states");
        }
    });
}
