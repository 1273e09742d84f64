//! `verity verify` and `mount-args --root`: which parameters a tree has, and what to say where it is
//! not the one that was looked for.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use testkit::mount;
use testkit::oracle::{self, Verdict};

use crate::run::{Image, Ran, json, ok, run};

/// A sealed disk of the small layers, and its report.
fn disk(image: &Image, options: &[&str]) -> (String, serde_json::Value) {
    let disk = image.path("image.disk").to_str().unwrap().to_owned();
    let args = ["export", "--mode", "image_block_with_verity", "--json", "-o", &disk];
    let report = json(&ok(image.over_tars(&[&args, options].concat()))).remove(0);
    (disk, report["verity"].clone())
}

fn verify(options: &[&str], data: &str, root: &str) -> Ran {
    run([&["verity", "verify"], options, &[data, root]].concat())
}

#[track_caller]
fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
}

/// Data sealed by veritysetup with a superblock; its root hash.
fn by_veritysetup(data: &str, hash: &str, options: &[&str]) -> Option<String> {
    let veritysetup = oracle::tool("veritysetup", "apt-get install cryptsetup-bin")?;
    let mut command = Command::new(veritysetup);
    command.arg("format").args(options).args([data, hash]);
    let said = Verdict::of(&mut command);
    said.expect_ok("veritysetup format");
    let root = said.output.lines().find_map(|line| line.strip_prefix("Root hash:"));
    Some(root.unwrap().trim().to_owned())
}

#[test]
fn a_superblock_says_the_parameters() {
    let image = Image::new();
    let (disk, report) = disk(&image, &["--preset", "containerd"]);
    let root = report["root_hash"].as_str().unwrap();
    for options in [&[][..], &["--preset", "containerd"]] {
        assert_eq!(verify(options, &disk, root).code, 0, "{options:?}");
    }
    let line = ok(["mount-args", "--root", root, &disk]);
    for word in ["--hash-offset=", root, "veritysetup open"] {
        assert!(line.contains(word), "{line}");
    }
    // The user's parameters are not those of the tree: which would be, is said.
    let other = ["other parameters", "512/512", "a superblock", "--preset containerd"];
    for options in [&["--preset", "nydus"][..], &["--preset", "containerd", "--salt", "-"]] {
        refused(&verify(options, &disk, root), &other);
        let words = [&["mount-args", "--root", root], options, &[&disk]].concat();
        refused(&run(words), &other);
    }
    // And where they are right, the root is wrong.
    let wrong = root.replace(|c: char| c != '0', "0");
    refused(&verify(&[], &disk, &wrong), &["does not match"]);
    refused(&run(["mount-args", "--root", &wrong, &disk]), &["no hash tree of the root hash"]);
}

#[test]
fn a_tree_without_superblock_is_told_by_its_root() {
    let image = Image::new();
    let (disk, report) = disk(&image, &[]);
    let root = report["root_hash"].as_str().unwrap();
    assert_eq!(verify(&[], &disk, root).code, 0);
    let other = ["other parameters", "512/4096, no salt, no superblock", "--preset nydus"];
    refused(&verify(&["--preset", "containerd"], &disk, root), &other);
    refused(&verify(&["--salt", "00"], &disk, root), &other);
    // The layers' digests are taken out of such a tree.
    let out = image.path("again.disk").to_str().unwrap().to_owned();
    let sealed = format!("{disk}={root}");
    let export = ["export", "--mode", "image_block_with_verity", "--sealed", &sealed, "-o", &out];
    refused(&run([&export[..], &["--preset", "containerd", &disk]].concat()), &other);
    assert_eq!(run([&export[..], &[&disk]].concat()).code, 0);
}

#[test]
fn what_is_cut_short_is_said_to_be() {
    let image = Image::new();
    let (disk, report) = disk(&image, &[]);
    let root = report["root_hash"].as_str().unwrap();
    let len = fs::metadata(&disk).unwrap().len();
    let file = File::options().write(true).open(&disk).unwrap();
    file.set_len(len - 1).unwrap();
    let cut = format!("its hash tree is cut short: it ends at byte {len}, the file at {}", len - 1);
    refused(&verify(&[], &disk, root), &[&cut]);
    refused(&run(["mount-args", "--root", root, &disk]), &[&cut]);
    // Cut where it begins, nothing of it is there.
    file.set_len(report["hash_offset"].as_u64().unwrap()).unwrap();
    refused(&verify(&[], &disk, root), &["there is no hash tree"]);
    // And data that is shorter than its tree is over.
    let hash = image.path("tree").to_str().unwrap().to_owned();
    let said = ok(["verity", "format", "--superblock", "--json", "--hash", &hash, &disk]);
    let root = json(&said)[0]["root_hash"].as_str().unwrap().to_owned();
    assert_eq!(verify(&["--hash", &hash], &disk, &root).code, 0);
    let len = fs::metadata(&disk).unwrap().len();
    file.set_len(len - 512).unwrap();
    let over = format!("over {len} bytes of data, not {}", len - 512);
    refused(&verify(&["--hash", &hash], &disk, &root), &[&over]);
    let blocks = (len / 512).to_string();
    let ran = verify(&["--hash", &hash, "--data-blocks", &blocks], &disk, &root);
    refused(&ran, &["it is cut short"]);
}

/// Trees of veritysetup, of any salt and sizes: in the file of the data, at a byte that is told or at
/// the next block, as containerd puts them, and in a file of their own.
#[test]
fn trees_of_veritysetup_are_found_by_their_superblocks() {
    let image = Image::new();
    let (bare, _) = disk(&image, &[]);
    let layer = image.path("layer.erofs").to_str().unwrap().to_owned();
    let tree = image.path("tree").to_str().unwrap().to_owned();
    ok(["layer", "--disk", "-o", &layer, image.tars[0].to_str().unwrap()]);
    let disk = fs::read(&layer).unwrap();
    let blocks = (disk.len() / 512).to_string();
    for sizes in [["512", "512"], ["512", "4096"], ["512", "1024"]] {
        let sizes =
            [format!("--data-block-size={}", sizes[0]), format!("--hash-block-size={}", sizes[1])];
        let sizes = [sizes[0].as_str(), sizes[1].as_str()];
        for (at, data_blocks) in [(disk.len(), true), (disk.len() + 8704, true), (0, false)] {
            fs::write(&layer, &disk).unwrap();
            let offset = format!("--hash-offset={at}");
            let count = format!("--data-blocks={blocks}");
            let (hash, place) = match data_blocks {
                true => (&layer, vec![sizes[0], sizes[1], &offset, &count]),
                false => (&tree, sizes.to_vec()),
            };
            let Some(root) = by_veritysetup(&layer, hash, &place) else { return };
            let at = at.to_string();
            let told: &[&str] =
                if data_blocks { &["--hash-offset", &at] } else { &["--hash", &tree] };
            let ran = verify(told, &layer, &root);
            assert_eq!(ran.code, 0, "{sizes:?} {told:?}: {}", ran.stderr);
            // The number is the user's word, which veritysetup passes over.
            let more = (disk.len() / 512 + 1).to_string();
            let told = [told, &["--data-blocks", &more]].concat();
            refused(&verify(&told, &layer, &root), &["bytes of data, not"]);
            let told = &told[..told.len() - 2];
            if at == disk.len().to_string() {
                assert_eq!(verify(&[], &layer, &root).code, 0, "{sizes:?}, found by itself");
                let line = ok(["mount-args", "--root", &root, &layer]);
                assert!(line.contains(&offset), "{line}");
            }
            // A part of the data is not all of it, whoever wrote the superblock.
            if !data_blocks {
                let less = format!("--data-blocks={}", disk.len() / 512 - 1);
                let options = [sizes[0], sizes[1], &less];
                let root = by_veritysetup(&layer, hash, &options).unwrap();
                refused(&verify(told, &layer, &root), &["bytes of data, not"]);
            }
        }
    }
    // Data that is no filesystem: how much is data only the superblock says.
    fs::write(&layer, &disk[512..]).unwrap();
    let (at, count) = (disk.len() - 512, disk.len() / 512 - 1);
    let place = ["--data-block-size=512", &format!("--hash-offset={at}")];
    let place = [place[0], place[1], &format!("--data-blocks={count}")];
    if let Some(root) = by_veritysetup(&layer, &layer, &place) {
        assert_eq!(verify(&["--hash-offset", &at.to_string()], &layer, &root).code, 0);
        let ran = verify(&["--hash-offset", &(at + 4096).to_string()], &layer, &root);
        refused(&ran, &["no verity superblock there", "--data-blocks"]);
    }
    drop(bare);
}

/// A preset whose hash blocks and salt are those of a tree is not it, if its data blocks are others.
#[test]
fn what_is_said_of_other_parameters_is_so() {
    let image = Image::new();
    let (disk, report) = disk(&image, &["--superblock"]);
    let root = report["root_hash"].as_str().unwrap();
    let said = "blocks of 512/4096, no salt, a superblock; not blocks of 512/4096, no salt, no superblock \
                (--data-block-size 512 --hash-block-size 4096 --salt - --superblock)";
    refused(&verify(&["--preset", "nydus"], &disk, root), &[said]);
    let way = "--data-block-size 512 --hash-block-size 4096 --salt - --superblock";
    assert_eq!(verify(&way.split(' ').collect::<Vec<_>>(), &disk, root).code, 0);
    // Cut short, and not of other parameters.
    let len = fs::metadata(&disk).unwrap().len();
    let file = File::options().write(true).open(&disk).unwrap();
    for cut in 1..8 {
        file.set_len(len - 512 * cut).unwrap();
        refused(&verify(&[], &disk, root), &["cut short"]);
        let sealed = format!("{disk}={root}");
        let out = image.path("out").to_str().unwrap().to_owned();
        let export = ["export", "--mode", "image_verity_only", "--superblock", "-o", &out];
        refused(&run([&export[..], &["--sealed", &sealed, &disk]].concat()), &["cut short"]);
    }
    // A superblock that can't be used is said to be so.
    let (disk, report) = self::disk(&image, &["--superblock"]);
    let mut bytes = fs::read(&disk).unwrap();
    let at = report["hash_offset"].as_u64().unwrap() as usize;
    bytes[at + 32..at + 38].copy_from_slice(b"sha384");
    fs::write(&disk, bytes).unwrap();
    refused(&verify(&[], &disk, root), &["sha384", "only sha256"]);
}

/// The hash tree may be of more than the filesystem: of all of the file that it is in.
#[test]
fn a_tree_of_more_than_the_filesystem_is_one() {
    let image = Image::new();
    let layer = image.path("layer.disk").to_str().unwrap().to_owned();
    let tree = image.path("tree").to_str().unwrap().to_owned();
    ok(["layer", "--disk", "-o", &layer, image.tars[0].to_str().unwrap()]);
    let len = fs::metadata(&layer).unwrap().len();
    File::options().write(true).open(&layer).unwrap().set_len(len + 65536).unwrap();
    let Some(root) = by_veritysetup(&layer, &tree, &["--data-block-size=512"]) else { return };
    assert_eq!(verify(&["--hash", &tree], &layer, &root).code, 0);
    ok(["mount-args", "--root", &root, "--hash", &tree, &layer]);
}

/// However long the file is that a filesystem is in, only the filesystem is read.
#[test]
fn what_is_behind_a_filesystem_takes_no_memory() {
    let image = Image::new();
    let layer = image.path("layer.disk").to_str().unwrap().to_owned();
    ok(["layer", "--disk", "-o", &layer, image.tars[0].to_str().unwrap()]);
    File::options().write(true).open(&layer).unwrap().set_len(1 << 40).unwrap();
    for words in [&["ls", &layer][..], &["mount-args", &layer], &["check", "--quick", &layer]] {
        ok(words);
    }
}

/// Where the tree goes elsewhere, nothing of the data needs to change.
#[test]
fn a_tree_of_its_own_needs_no_leave_to_write_the_data() {
    let image = Image::new();
    let tree = image.path("tree").to_str().unwrap().to_owned();
    let scratch = mount::tmpfs().unwrap();
    let data = scratch.path().join("data");
    fs::write(&data, [7; 8192]).unwrap();
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        Verdict::of(mount.args(["-o", how]).arg(scratch.path())).expect_ok("mount");
    };
    remount("remount,ro");
    let format = |data: &Path| run(["verity", "format", "--hash", &tree, data.to_str().unwrap()]);
    let ran = format(&data);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    remount("remount,rw");
    // What is not whole blocks has to grow.
    fs::write(&data, [7; 8000]).unwrap();
    remount("remount,ro");
    refused(&format(&data), &["Read-only file system"]);
}

/// Linux would open the device and refuse the mount.
#[test]
fn data_blocks_above_the_filesystems_are_refused_in_place_too() {
    let image = Image::new();
    let disk = image.path("layer.disk").to_str().unwrap().to_owned();
    ok(["layer", "--disk", "-o", &disk, image.tars[0].to_str().unwrap()]);
    let before = fs::read(&disk).unwrap();
    let format = ["verity", "format", "--preset", "veritysetup", "--json"];
    let ran = run([&format[..], &[&disk]].concat());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("--any-data-block"), "{}", ran.stderr);
    assert!(fs::read(&disk).unwrap() == before);
    let said = ok([&format[..], &["--any-data-block", &disk]].concat());
    let root = json(&said)[0]["root_hash"].as_str().unwrap().to_owned();
    assert_eq!(verify(&[], &disk, &root).code, 0);
    refused(&run(["mount-args", "--root", &root, &disk]), &["data blocks of 4096", "refuses"]);
}

/// An option that would change nothing is an error: whoever gives it believes something else.
#[test]
fn options_without_effect_are_refused() {
    let image = Image::new();
    let (disk, _) = disk(&image, &[]);
    let out = image.path("out").to_str().unwrap().to_owned();
    let tar = image.tars[0].to_str().unwrap();
    let sealed = format!("{disk}={}", "0".repeat(64));
    for words in [
        &["layer", "--placement", "data-first", "-o", &out, tar][..],
        &["layer", "--align", "512KiB", "-o", &out, tar],
        &["layer", "--disk", "--placement", "data-first", "--align", "8192", "-o", &out, tar],
        &["merge", "--align", "512KiB", "-o", &out, tar],
        &["merge", "--disk", "--device-per-layer", "-o", &out, tar],
        &["export", "--mode", "image_block", "--threads", "2", "-o", &out, tar],
        &["export", "--mode", "image_block", "--sealed", &sealed, "-o", &out, &disk],
        &["mount-args", "--hash", &disk, &disk],
        &["mount-args", "--any-data-block", &disk],
        &["mount-args", "--root", &"0".repeat(64), "--tars", "/", &disk],
        &["inspect", "--threads", "2", &disk],
        &["check", "--quick", "--preset", "containerd", &disk],
        &["check", "--quick", "--threads", "2", &disk],
        &["verity", "verify", "--any-data-block", &disk, &"0".repeat(64)],
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 2, "{words:?}: {}{}", ran.stdout, ran.stderr);
        assert!(!Path::new(&out).exists());
    }
}
