//! `tarfs verity dump`, `open`, `close` and `status`. This machine may have no device mapper: what veritysetup is
//! called with is told by a program in its place, and guests of `tests/kernels` open devices.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use testkit::oracle::{Verdict, tool as installed};

use super::run::{Image, Ran, json, ok, run, tool};

/// Runs the tool with a veritysetup that prints its words, one a line, into a file, and ends with a code.
fn with_recorder(image: &Image, code: u32, args: &[&str]) -> (Ran, Vec<String>) {
    let (dir, said) = (image.path("bin"), image.path("said"));
    fs::create_dir_all(&dir).unwrap();
    let program = dir.join("veritysetup");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\necho printed\necho wrong >&2\nexit {code}\n",
        said.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let _ = fs::remove_file(&said);
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
    let ran = Command::new(tool()).args(args).env("PATH", path).output().unwrap();
    let words = fs::read_to_string(&said).unwrap_or_default();
    (ran.into(), words.lines().map(str::to_owned).collect())
}

fn export(image: &Image, name: &str, options: &[&str]) -> (String, serde_json::Value) {
    let disk = image.path(name).to_str().unwrap().to_owned();
    let export = ["export", "--mode", "image_block_with_verity", "--json", "-o", &disk];
    let said = json(&ok(image.over_tars(&[&export[..], options].concat())));
    (disk, said[0]["verity"].clone())
}

#[test]
fn dump_says_what_veritysetup_says() {
    let image = Image::new();
    let Some(veritysetup) = installed("veritysetup", "apt-get install cryptsetup-bin") else {
        return;
    };
    let lines = |text: &str| {
        text.lines().skip(1).map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
    };
    for options in [
        &["--superblock"][..],
        &["--preset", "containerd"],
        &["--superblock", "--hash-algorithm", "sha512", "--hash-format", "0", "--salt", "0badcafe"],
        &["--superblock", "--hash-block-size", "1024"],
    ] {
        let (disk, verity) = export(&image, "dumped.disk", options);
        let offset = format!("--hash-offset={}", verity["hash_offset"]);
        let theirs = Verdict::of(Command::new(&veritysetup).args(["dump", &disk, &offset]));
        theirs.expect_ok("dump");
        let ours = ok(["verity", "dump", &disk]);
        assert_eq!(lines(&ours), lines(&theirs.output), "{options:?}");
        assert_eq!(ok(["verity", "dump", &offset, &disk]), ours, "{options:?}");
        let object = json(&ok(["verity", "dump", "--json", &disk])).remove(0);
        assert_eq!(object["hash_offset"], verity["hash_offset"]);
    }
    // A tree in a file of its own.
    let (data, tree) = (image.path("data"), image.path("tree"));
    fs::write(&data, vec![7; 1 << 20]).unwrap();
    let [data, tree] = [&data, &tree].map(|path| path.to_str().unwrap());
    Verdict::of(Command::new(&veritysetup).args(["format", data, tree])).expect_ok("format");
    let theirs = Verdict::of(Command::new(&veritysetup).args(["dump", tree]));
    assert_eq!(lines(&ok(["verity", "dump", tree])), lines(&theirs.output));
    // What has none.
    let (bare, _) = export(&image, "bare.disk", &[]);
    for (args, says) in [
        (
            &["verity", "dump", &bare][..],
            "has no verity superblock behind its filesystem, which ends",
        ),
        (&["verity", "dump", data], "has no verity superblock at byte 0"),
        (&["verity", "dump", "--hash-offset=512", data], "has no verity superblock at byte 512"),
    ] {
        let refused = run(args);
        assert_eq!(refused.code, 1);
        assert!(refused.stderr.contains(says), "{}", refused.stderr);
    }
}

/// The words are those of the line that is printed, but for files by their whole paths, and what is handed on.
#[test]
fn open_close_and_status_call_veritysetup() {
    let image = Image::new();
    let (disk, verity) = export(&image, "opened.disk", &["--preset", "containerd"]);
    let root = verity["root_hash"].as_str().unwrap();
    let file = image.path("root");
    fs::write(&file, format!("{root}\n")).unwrap();
    let (file, signature) = (file.to_str().unwrap(), image.path("signature"));
    fs::write(&signature, "signed").unwrap();
    let signed = format!("--root-hash-signature={}", signature.display());
    let offset = format!("--hash-offset={}", verity["hash_offset"]);
    let want = ["open", &disk, "image", &disk, root, &offset];
    let (ran, words) = with_recorder(&image, 0, &["verity", "open", &disk, "image", root]);
    assert_eq!((ran.code, words), (0, want.map(str::to_owned).to_vec()), "{}", ran.stderr);
    let from_file = ["verity", "open", "--root-hash-file", file, &signed, &disk, "image"];
    let (ran, words) = with_recorder(&image, 0, &from_file);
    let more = [&want.map(str::to_owned)[..], std::slice::from_ref(&signed)].concat();
    assert_eq!((ran.code, words), (0, more), "{}", ran.stderr);

    let (ran, _) = with_recorder(&image, 0, &["verity", "open", "--json", &disk, "image", root]);
    let said = json(&ran.stdout).remove(0);
    assert_eq!(
        (&said["device"], &said["data"]),
        (&"/dev/mapper/image".into(), &disk.as_str().into())
    );
    assert_eq!((&said["root_hash"], &said["hash_tree"]), (&root.into(), &said["data"]));
    let (ran, _) = with_recorder(&image, 0, &["verity", "close", "--json", "--deferred", "image"]);
    assert_eq!(ran.stdout, "{\"device\":\"/dev/mapper/image\",\"deferred\":true}\n");

    for (args, want) in [
        (&["verity", "close", "image"][..], &["close", "--", "image"][..]),
        (&["verity", "close", "--deferred", "image"], &["close", "--deferred", "--", "image"]),
        (&["verity", "status", "image"], &["status", "--", "image"]),
    ] {
        let (ran, words) = with_recorder(&image, 0, args);
        assert_eq!(words, want);
        assert_eq!(ran.stdout, if args[1] == "status" { "printed\n" } else { "" });
        let (ran, _) = with_recorder(&image, 4, args);
        assert_eq!(ran.code, 1);
        assert!(
            ran.stderr.contains(&format!("image: veritysetup {} fails", args[1])),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("printed; wrong"), "{}", ran.stderr);
    }
}

/// What is wrong is found before veritysetup is called.
#[test]
fn what_would_not_open_is_refused() {
    let image = Image::new();
    let (disk, verity) = export(&image, "refused.disk", &["--superblock"]);
    let root = verity["root_hash"].as_str().unwrap();
    let text = |name: &str, text: &str| {
        fs::write(image.path(name), text).unwrap();
        image.path(name).to_str().unwrap().to_owned()
    };
    let (long, odd) = (text("long", &"a".repeat(1000)), text("odd", "no root"));
    let absent = image.path("absent").to_str().unwrap().to_owned();
    let other = "ab".repeat(32);
    for (args, code, says) in [
        (&["open", &disk, "image", &other][..], 1, "has no hash tree of the root hash abab"),
        (&["open", &disk, "a/b", root], 2, "no name of a device"),
        (&["open", &disk, "", root], 2, "no name of a device"),
        (&["open", &disk, "image"], 2, "ROOT"),
        (
            &["open", "--root-hash-file", &long, &disk, "image"],
            1,
            "has 1000 bytes: a root hash has",
        ),
        (&["open", "--root-hash-file", &odd, &disk, "image"], 1, "odd: "),
        (&["open", "--root-hash-file", &absent, &disk, "image"], 1, "absent"),
        (&["open", "--root-hash-signature", &absent, &disk, "image", root], 1, "absent"),
        (&["close", ".."], 2, "no name of a device"),
    ] {
        let (ran, words) = with_recorder(&image, 0, &[&["verity"], args].concat());
        assert_eq!((ran.code, words.len()), (code, 0), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
    }
    assert!(Path::new(&disk).exists());
}
