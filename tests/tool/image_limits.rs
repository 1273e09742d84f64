//! Images that others made are held to the limits of layers, by whatever command they come in.

use std::fs;

use testkit::program::Ran;
use testkit::tarball::TarBuilder;

use crate::run::{Place, of_stdin, ok, run};

/// Those that read a layer or an image, of a tar with four names, the deepest of four, and the root.
const COMMANDS: [&[&str]; 16] = [
    &["export", "--mode", "layer_block", "-o", "OUT", "IMAGE"],
    &["export", "--mode", "layer_block_with_verity", "-o", "OUT", "IMAGE"],
    &["export", "--mode", "layer_verity_only", "-o", "OUT", "IMAGE"],
    &["export", "--mode", "image_block", "-o", "OUT", "IMAGE"],
    &["merge", "-o", "OUT", "IMAGE"],
    &["root", "IMAGE"],
    &["ls", "IMAGE"],
    &["du", "IMAGE"],
    &["stat", "IMAGE", "a/b/c/f"],
    &["cat", "IMAGE", "a/b/c/f"],
    &["tar", "-o", "OUT", "IMAGE"],
    &["extract", "--directory", "OUT", "IMAGE"],
    &["diff", "IMAGE", "IMAGE"],
    &["check", "IMAGE"],
    &["mount-args", "IMAGE"],
    &["fsmeta", "-o", "OUT", "IMAGE"],
];

/// Those that take a layer on standard input.
const OF_STDIN: [&[&str]; 3] = [
    &["export", "--mode", "layer_block", "-o", "OUT", "-"],
    &["export", "--mode", "image_block", "-o", "OUT", "-"],
    &["merge", "--disk", "-o", "OUT", "-"],
];

/// Runs a command of the tables with a limit.
fn limited(place: &Place, command: &[&str], limit: &str, image: &str, stdin: &[u8]) -> Ran {
    let out = place.text("out");
    let word = |word: &&str| match *word {
        "OUT" => out.clone(),
        "IMAGE" => image.to_owned(),
        word => word.to_owned(),
    };
    let limit = ["--limit", limit].map(str::to_owned);
    let (name, words) = command.split_first().unwrap();
    let words = words.iter().map(word);
    let ran = of_stdin(stdin, [(*name).to_owned()].into_iter().chain(limit).chain(words));
    let _ = fs::remove_file(&out).or_else(|_| fs::remove_dir_all(&out));
    ran
}

/// The layer as a bootstrap beside its tar, and as a disk.
fn images(place: &Place) -> [String; 2] {
    let tar = TarBuilder::new().dir("a", 0o755).dir("a/b", 0o755).dir("a/b/c", 0o755);
    let tar = place.put("layer.tar", &tar.file("a/b/c/f", b"x").finish());
    let (bootstrap, disk) = (place.text("bootstrap"), place.text("disk"));
    ok(["layer", "-o", &bootstrap, &tar]);
    ok(["export", "--mode", "image_block", "-o", &disk, &tar]);
    [bootstrap, disk]
}

#[test]
fn each_way_in_has_them() {
    let place = Place::new();
    let images = images(&place);
    let disk = fs::read(&images[1]).unwrap();
    let mut ways = Vec::new();
    for command in COMMANDS {
        // What containerd names in a mount is one file for each layer.
        let files = if command[0] == "fsmeta" { &images[1..] } else { &images[..] };
        ways.extend(files.iter().map(|image| (command, image.as_str(), &[][..])));
    }
    ways.extend(OF_STDIN.map(|command| (command, "", &disk[..])));
    for (command, image, stdin) in ways {
        for (name, most, what) in
            [("max_inodes", 5, "inodes"), ("max_depth", 4, "names in its path")]
        {
            let at = |most| limited(&place, command, &format!("{name}={most}"), image, stdin);
            let ran = at(most);
            assert_eq!(ran.code, 0, "{command:?} {image} {name}: {}", ran.stderr);
            let ran = at(most - 1);
            assert_ne!(ran.code, 0, "{command:?} {image} {name}");
            let option = format!("(--limit {name}=N sets it)");
            let says = format!("{most} {what} are over the limit {name} of {} {option}", most - 1);
            // `check` answers what is wrong with the image.
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains(&says), "{command:?} {image} {name}: {said}");
        }
    }
}

/// An image on standard input becomes a file, as a tar does.
#[test]
fn an_image_on_standard_input_has_a_length() {
    let place = Place::new();
    let disk = fs::read(&images(&place)[1]).unwrap();
    let bytes = disk.len();
    for command in OF_STDIN {
        let at = |most: usize| limited(&place, command, &format!("max_bytes={most}"), "", &disk);
        let ran = at(bytes);
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.stderr);
        let ran = at(bytes - 1);
        assert_eq!(ran.code, 1, "{command:?}");
        let says = format!(
            "tarfs: standard input: {bytes} bytes of the image are over the limit max_bytes of {} \
             (--limit max_bytes=N sets it)\n",
            bytes - 1
        );
        assert_eq!(ran.stderr, says, "{command:?}");
    }
    // One that never ends is not read to its end.
    let command = format!(
        "cat '{}' /dev/zero | '{}' ls --limit max_bytes=1M -",
        place.text("disk"),
        crate::run::tool().display()
    );
    let ran: Ran = std::process::Command::new("sh").args(["-c", &command]).output().unwrap().into();
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("1048577 bytes of the image are over the limit max_bytes of 1048576")
    );
    // A file is as long as it is: it is not copied.
    assert_eq!(run(["ls", "--limit", "max_bytes=1", &place.text("disk")]).code, 0);
}
