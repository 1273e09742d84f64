//! Wrong commands, and all that is said of each: what is wrong, where, by which rule, and what to do.
//!
//! `messages.txt` has the rows: a command line, its exit code, and its standard error. A message that is to change
//! is changed there, by TARFS_BLESS=1, and read before it is committed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::tarball::TarBuilder;

use crate::run::{Place, tool};

/// The files that the rows are about, in the directory that they are run in.
fn given(place: &Place) {
    let tar = TarBuilder::new().file("a", "hello\n").dir("d", 0o755).symlink("l", "a").finish();
    place.put("a.tar", &tar);
    place.put("cut.tar", &tar[..700]);
    place.put("junk", &[b'j'; 700]);
    place.put("empty", b"");
    let dots = TarBuilder::new().file("../../etc/passwd", "x").finish();
    place.put("dots.tar", &dots);
    place.put("type.tar", &TarBuilder::new().entry(b'!', "odd", 0o644).finish());
    place.put("apple.tar", &TarBuilder::new().file("f", "x").xattr("com.apple.x", "y").finish());
    place.put("link.tar", &TarBuilder::new().hardlink("h", "nowhere").finish());
    place.put("marker.tar", &TarBuilder::new().file(".wh.x/y", "x").finish());
    let done = Command::new("gzip").args(["-nk", "a.tar"]).current_dir(place.path("")).status();
    assert!(done.unwrap().success());
    let packed = fs::read(place.path("a.tar.gz")).unwrap();
    place.put("cut.tar.gz", &packed[..packed.len() / 2]);
    for args in [
        &["layer", "--disk", "-o", "a.disk", "a.tar"][..],
        &["layer", "-o", "a.erofs", "a.tar"],
        &["layer", "--disk", "--verity", "-o", "sealed.disk", "a.tar"],
        &["export", "--mode", "layer_block", "--gpt", "-o", "two.gpt", "a.tar", "apple.tar"],
    ] {
        assert_eq!(ran(place, args).0, 0, "{args:?}");
    }
    let disk = fs::read(place.path("a.disk")).unwrap();
    place.put("cut.disk", &disk[..2048]);
    fs::create_dir(place.path("dir")).unwrap();
    for (image, index) in [
        ("none", "{}"),
        ("wrong", r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:00","size":"many"}]}"#),
        ("broken", r#"{"schemaVersion":2,"mani"#),
        ("nojson", "hello"),
    ] {
        fs::create_dir(place.path(image)).unwrap();
        place.put(&format!("{image}/oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#);
        place.put(&format!("{image}/index.json"), index.as_bytes());
    }
    fs::create_dir(place.path("elsewhere")).unwrap();
    fs::copy(place.path("a.erofs"), place.path("elsewhere/a.erofs")).unwrap();
    symlink("nowhere", place.path("dangling")).unwrap();
}

/// Exit code, and standard error.
fn ran(place: &Place, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(tool());
    command.args(args).current_dir(place.path("")).stdin(Stdio::null());
    let done = command.output().unwrap();
    (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
}

/// What no message has in it: words of Rust, of a crate, or of nobody.
const NEVER: [&str; 9] = [
    "io operation failed",
    "serde",
    "panicked",
    "unwrap",
    "Error {",
    "Some(",
    "Os {",
    "kind:",
    "invalid type",
];

#[test]
fn wrong_commands_are_told_what_is_wrong() {
    let place = Place::new();
    given(&place);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tool/messages.txt");
    let rows = fs::read_to_string(&file).unwrap();
    let commands: Vec<&str> =
        rows.lines().filter_map(|line| line.strip_prefix("$ tarfs")).collect();
    assert!(commands.len() >= 60, "{}", commands.len());
    let mut found = String::new();
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().collect();
        let (code, said) = ran(&place, &args);
        assert!(code == 1 || code == 2, "{command}: {code}");
        assert!(!said.trim().is_empty(), "{command}: nothing is said");
        for word in NEVER {
            assert!(!said.contains(word), "{command}: {word}: {said}");
        }
        // One line, unless the command line itself makes no sense.
        assert!(code == 2 || said.lines().count() == 1, "{command}: {said}");
        found.push_str(&format!("$ tarfs{command}\n{said}= {code}\n\n"));
    }
    if std::env::var_os("TARFS_BLESS").is_some() {
        fs::write(&file, &found).unwrap();
        return;
    }
    let (said, wanted): (Vec<_>, Vec<_>) =
        (found.split("\n\n").collect(), rows.split("\n\n").collect());
    let differ: Vec<_> = said.iter().zip(&wanted).filter(|(said, wanted)| said != wanted).collect();
    assert!(found == rows, "{differ:#?}");
}
