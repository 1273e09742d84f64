//! Hash trees of other algorithms and formats than everybody takes: `--hash-algorithm`, `--hash-format` and
//! `--superblock-uuid`, of all commands that have hash trees, against `veritysetup`.

use std::fs;
use std::process::Command;

use testkit::oracle::{Verdict, tool};

use super::run::{Image, json, ok, run};

const UUID: &str = "0f8a237d-48ca-5305-ba9f-d2efb00fcd98";

#[test]
fn disks_are_what_veritysetup_verifies_and_dumps() {
    let image = Image::new();
    let Some(veritysetup) = tool("veritysetup", "apt-get install cryptsetup-bin") else { return };
    let disk = image.path("image.disk");
    let out = disk.to_str().unwrap();
    for (options, algorithm, format) in [
        (&["--hash-algorithm", "sha512"][..], "sha512", "1"),
        (&["--hash-format", "0", "--salt", "00ff"], "sha256", "0"),
        (&["--hash-algorithm", "sha512", "--hash-format", "0", "--salt", "ab"], "sha512", "0"),
        (&["--hash-algorithm", "sha256", "--hash-format", "1"], "sha256", "1"),
    ] {
        let options = [options, &["--superblock-uuid", UUID]].concat();
        let ahead = ok(image.over_tars(&[&["root"], &options[..]].concat()));
        let export = ["export", "--mode", "image_block_with_verity", "--json", "-o", out];
        let said = json(&ok(image.over_tars(&[&export[..], &options].concat())));
        let (root, offset) = (&said[0]["verity"]["root_hash"], &said[0]["verity"]["hash_offset"]);
        let (root, offset) = (root.as_str().unwrap(), format!("--hash-offset={offset}"));
        assert_eq!(
            (root, root.len()),
            (ahead.trim(), if algorithm == "sha512" { 128 } else { 64 })
        );
        let veritysetup = |words: &[&str]| Verdict::of(Command::new(&veritysetup).args(words));
        veritysetup(&["verify", out, out, root, &offset]).expect_ok(algorithm);
        let said = veritysetup(&["dump", out, &offset]).output;
        for line in [("UUID", UUID), ("Hash algorithm", algorithm), ("Hash type", format)] {
            let (name, value) = line;
            let found = said.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            assert!(found.ends_with(value), "{line:?}: {said}");
        }
        // The superblock says all of it.
        ok(["verity", "verify", out, root]);
        ok(["check", "--root", root, out]);
        let mut bytes = fs::read(&disk).unwrap();
        bytes[5000] ^= 1;
        fs::write(&disk, bytes).unwrap();
        let wrong = run(["verity", "verify", out, root]);
        assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    }
}

/// Without a superblock, and with the tree in a file of its own, as veritysetup writes it.
#[test]
fn trees_of_veritysetup_are_verified() {
    let image = Image::new();
    let Some(veritysetup) = tool("veritysetup", "apt-get install cryptsetup-bin") else { return };
    let (data, tree, ours) = (image.path("data"), image.path("tree"), image.path("ours"));
    fs::write(&data, vec![7; 300_000_usize.next_multiple_of(4096)]).unwrap();
    let [data, tree, ours] = [&data, &tree, &ours].map(|path| path.to_str().unwrap());
    for (hash, format) in [("sha512", "1"), ("sha512", "0"), ("sha256", "0")] {
        // What is there longer than a tree would stay behind it.
        fs::write(tree, []).unwrap();
        let mut command = Command::new(&veritysetup);
        command.args(["format", data, tree, "--no-superblock", "--salt=abcd", "--hash", hash]);
        let made = Verdict::of(command.args(["--format", format]));
        made.expect_ok(hash);
        let root =
            made.output.lines().find_map(|line| line.strip_prefix("Root hash:")).unwrap().trim();
        let params = ["--data-block-size", "4096", "--salt", "abcd", "--hash-format", format];
        let params = [&params[..], &["--hash-algorithm", hash]].concat();
        let args = |start: &[&'static str]| [start, &params[..]].concat();
        ok([&args(&["verity", "verify", "--hash"])[..3], &[tree], &params, &[data, root]].concat());
        let said =
            ok([&["verity", "format", "--json", "--hash", ours][..], &params, &[data]].concat());
        assert_eq!(json(&said)[0]["root_hash"], root);
        assert!(fs::read(ours).unwrap() == fs::read(tree).unwrap(), "{hash} {format}");
        // A root hash of another length is told by its length.
        let other = if hash == "sha512" { "ab".repeat(32) } else { "ab".repeat(64) };
        let refused =
            run([&["verity", "verify", "--hash", tree][..], &params, &[data, &other]].concat());
        assert!(refused.stderr.contains("ROOT is of sha"), "{}", refused.stderr);
        // Nothing is found by the presets, and the options that are meant are said.
        let wrong =
            run(["verity", "verify", "--data-block-size", "4096", "--hash", tree, data, root]);
        assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    }
}

#[test]
fn what_has_no_place_for_it_is_refused() {
    let image = Image::new();
    let out = image.path("refused");
    let out = out.to_str().unwrap();
    for (options, says) in [
        (&["--mode", "image_block_with_verity", "--gpt=dps"][..], "has 32 bytes of it, no sha512"),
        (&["--mode", "image_block"], "want a mode that makes one"),
    ] {
        let export = ["export", "-o", out, "--hash-algorithm", "sha512"];
        let refused = run(image.over_tars(&[&export[..], options].concat()));
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains(says), "{}", refused.stderr);
    }
    let tar = image.tars[0].to_str().unwrap();
    let sealed =
        ["layer", "--disk", "--verity", "--preset", "containerd", "--hash-algorithm", "sha512"];
    let print = ["--print", "erofs-annotations", "-o", out, tar];
    let refused = run([&sealed[..], &print].concat());
    assert!(refused.stderr.contains("an algorithm other than SHA-256"), "{}", refused.stderr);
    for wrong in [["--hash-algorithm", "sha1"], ["--hash-format", "2"], ["--superblock-uuid", "x"]]
    {
        assert_eq!(run(image.over_tars(&[&["root"], &wrong[..]].concat())).code, 2, "{wrong:?}");
    }
}
