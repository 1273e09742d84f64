//! `check` says what it read: whatever is cut or changed is found, and what is good is no alarm.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::rng::Rng;
use testkit::tarball::TarBuilder;

use crate::run::{Image, Ran, digest, json, ok, run};

pub(crate) fn words(words: &[&str], paths: &[&Path]) -> Vec<OsString> {
    words.iter().map(OsString::from).chain(paths.iter().map(Into::into)).collect()
}

fn check(options: &[&str], image: &Path) -> Ran {
    run(words(&[&["check"], options].concat(), &[image]))
}

/// A good verdict, that says what it is about.
#[track_caller]
fn good(options: &[&str], image: &Path) -> Value {
    let ran = check(options, image);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let last = ran.stdout.lines().last().unwrap();
    assert!(last.contains(": good as far as checked: structure of "), "{}", ran.stdout);
    let report = json(&ok(words(&[&["check", "--json"], options].concat(), &[image]))).remove(0);
    assert_eq!(report["ok"], true);
    let unread = report["unread"].as_array().unwrap().len();
    assert_eq!(ran.stdout.matches(": not checked: ").count(), unread);
    assert_eq!(last.contains("not checked"), unread > 0, "{last}");
    assert_eq!(check(&[options, &["--strict"]].concat(), image).code, i32::from(unread > 0));
    report
}

#[track_caller]
fn bad(options: &[&str], image: &Path, what: &str) {
    let ran = check(options, image);
    assert_eq!(ran.code, 1, "{what}: {}", ran.stdout);
    assert!(!ran.stdout.contains(" good"), "{what}: {}", ran.stdout);
}

/// A file with something that is wrong, at each of these places.
fn each_cut(path: &Path, from: usize, mut seen: impl FnMut(usize)) {
    let bytes = fs::read(path).unwrap();
    for len in (from..bytes.len()).filter(|len| len % 512 == 0).chain([bytes.len() - 1]) {
        fs::write(path, &bytes[..len]).unwrap();
        seen(len);
    }
    fs::write(path, bytes).unwrap();
}

fn each_change(
    path: &Path,
    range: std::ops::Range<usize>,
    count: u64,
    mut seen: impl FnMut(usize),
) {
    let bytes = fs::read(path).unwrap();
    let mut rng = Rng::new(1);
    for _ in 0..count {
        let at = range.start + rng.below(range.len() as u64) as usize;
        let mut changed = bytes.clone();
        changed[at] ^= 1 << rng.below(8);
        fs::write(path, changed).unwrap();
        seen(at);
    }
    fs::write(path, bytes).unwrap();
}

/// A tar whose files fill some blocks, the last one to its end.
fn tar() -> Vec<u8> {
    let mut rng = Rng::new(2);
    let archive = TarBuilder::new().dir("d", 0o755);
    archive
        .file("d/a", rng.bytes(5000))
        .file("d/b", rng.bytes(100))
        .file("c", rng.bytes(6144))
        .finish()
}

/// A disk of that tar, and where the tar lies in it.
fn disk(
    image: &Image,
    placement: &str,
    verity: &[&str],
) -> (PathBuf, std::ops::Range<usize>, Value) {
    let (input, out) = (image.path("one.tar"), image.path(&format!("{placement}.disk")));
    fs::write(&input, tar()).unwrap();
    let options = [&["layer", "--disk", "--json", "--placement", placement], verity, &["-o"]];
    let report = json(&ok(words(&options.concat(), &[&out, &input]))).remove(0);
    let at = report["devices"][0]["base_offset"].as_u64().unwrap() as usize;
    (out, at..at + tar().len(), report)
}

#[test]
fn a_disk_cut_or_changed_anywhere() {
    let image = Image::new();
    for placement in ["metadata-first", "data-first"] {
        let (disk, tar, _) = disk(&image, placement, &[]);
        let report = good(&[], &disk);
        assert_eq!(report["tars"].as_array().unwrap().len(), 1);
        names_are_unread(&report);
        good(&["--quick"], &disk);
        each_cut(&disk, 0, |len| {
            bad(&[], &disk, &format!("{placement} cut to {len}"));
            bad(&["--quick"], &disk, &format!("{placement} cut to {len}, quick"));
        });
        each_change(&disk, tar, 250, |at| bad(&[], &disk, &format!("{placement}, byte {at}")));
    }
}

/// No digest is over the metadata of what was not sealed.
#[track_caller]
fn names_are_unread(report: &Value) {
    let [unread] = &report["unread"].as_array().unwrap()[..] else { panic!("{report}") };
    assert!(unread.as_str().unwrap().starts_with("names and attributes: "), "{unread}");
}

#[test]
fn metadata_is_checked_by_a_tree_or_by_layers_or_is_said_not_to_be() {
    let image = Image::new();
    for form in [&["--disk"][..], &[], &["--disk", "--block-size", "4096"]] {
        let (tar, out) = (image.path("one.tar"), image.path("out"));
        fs::write(&tar, self::tar()).unwrap();
        let made = [&["layer"], form, &["-o"]].concat();
        ok(words(&made, &[&out, &tar]));
        let against = |image: &Path| {
            let options = ["check", "--strict", "--tars"];
            let dir = tar.parent().unwrap();
            run(words(&options, &[dir, image, Path::new("--against"), &tar]))
        };
        let ran = against(&out);
        assert_eq!(ran.code, 0, "{form:?}: {}{}", ran.stdout, ran.stderr);
        if form.contains(&"4096") {
            continue; // The checksum of the superblock is over all of so small an image.
        }
        // The mode of a file.
        let mut bytes = fs::read(&out).unwrap();
        let at = bytes.windows(2).position(|two| two == 0o100644_u16.to_le_bytes()).unwrap();
        bytes[at + 1] ^= 8;
        fs::write(&out, bytes).unwrap();
        let unread = good(&[], &out)["unread"].clone();
        let unread = unread.as_array().unwrap();
        assert!(unread.iter().any(|text| text.as_str().unwrap().starts_with("names and ")));
        assert_eq!(against(&out).code, 1, "{form:?}");
    }
    // Data blocks of a disk without a digest are under its tree.
    let (tar, out) = (image.path("one.tar"), image.path("out"));
    let options = ["layer", "--disk", "--verity", "--preset", "containerd-4k"];
    let options = [&options[..], &["--block-size", "4096", "--json", "-o"]].concat();
    let report = json(&ok(words(&options, &[&out, &tar]))).remove(0);
    let root = report["verity"]["root_hash"].as_str().unwrap();
    let report = good(&["--root", root], &out);
    assert_eq!(report["unread"].as_array().unwrap().len(), 0, "{report}");
}

/// To wait for somebody who writes to a pipe could take for ever.
#[test]
fn a_named_pipe_is_an_error_at_once() {
    let image = Image::new();
    let (pipe, layout) = (image.path("pipe"), image.path("layout"));
    fs::create_dir(&layout).unwrap();
    for path in [&pipe, &layout.join("index.json")] {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }
    let out = image.path("out");
    let oci = PathBuf::from(format!("oci:{}", layout.display()));
    let archive = PathBuf::from(format!("oci-archive:{}", pipe.display()));
    for command in [
        words(&["layer", "-o"], &[&out, &pipe]),
        words(&["merge", "-o"], &[&out, &pipe]),
        words(&["merge", "-o"], &[&out, &oci]),
        words(&["merge", "-o"], &[&out, &archive]),
        words(&["ls"], &[&pipe]),
        words(&["inspect"], &[&pipe]),
        words(&["check"], &[&pipe]),
        words(&["mount-args"], &[&pipe]),
        words(&["verity", "verify"], &[&pipe, Path::new(&"0".repeat(64))]),
    ] {
        let ran = run(&command);
        assert_eq!(ran.code, 1, "{command:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("not a regular file"), "{command:?}: {}", ran.stderr);
    }
}

#[test]
fn a_sealed_disk_cut_or_changed_anywhere() {
    let image = Image::new();
    for verity in [
        &["--verity"][..],
        &["--verity", "--preset", "veritysetup", "--any-data-block"],
        &["--verity", "--preset", "containerd-4k", "--any-data-block"],
    ] {
        let (disk, tar, report) = disk(&image, "metadata-first", verity);
        let root = report["verity"]["root_hash"].as_str().unwrap();
        let (whole, end) = (fs::metadata(&disk).unwrap().len() as usize, tar.end);
        let report = good(&[], &disk);
        assert_eq!(report["verity"]["root_hash"], root);
        assert_eq!(report["verity"]["given"], false);
        let report = good(&["--root", root], &disk);
        assert_eq!(report["unread"].as_array().unwrap().len(), 0);
        bad(&["--root", &"0".repeat(64)], &disk, "another root");
        each_cut(&disk, 0, |len| {
            bad(&["--root", root], &disk, &format!("{verity:?} cut to {len}"));
            // Without its tree, and with the zeros before it, it is a disk that was never sealed.
            let bytes = fs::read(&disk).unwrap();
            match len >= end && bytes[end..].iter().all(|byte| *byte == 0) {
                true => assert_eq!(good(&[], &disk)["verity"], Value::Null),
                false => bad(&[], &disk, &format!("{verity:?} cut to {len} of {whole}, no root")),
            }
        });
        each_change(&disk, 0..whole, 170, |at| {
            if at % 4 == 0 {
                bad(&["--root", root], &disk, &format!("{verity:?}, byte {at} of {whole}"));
            }
            bad(&[], &disk, &format!("{verity:?}, byte {at} of {whole}, no root"));
        });
    }
}

#[test]
fn a_bootstrap_or_its_tar_cut_or_changed_anywhere() {
    let image = Image::new();
    let (input, out) = (image.path("one.tar"), image.path("one.erofs"));
    // By the name of the bootstrap, by that of the digest, and as a bootstrap of two.
    let named = image.path(&digest(&tar()));
    for (tar_path, changes) in [(&input, 500), (&named, 50)] {
        fs::write(tar_path, tar()).unwrap();
        ok(words(&["layer", "-o"], &[&out, tar_path]));
        let report = good(&[], &out);
        assert_eq!(report["tars"].as_array().unwrap().len(), 1);
        each_cut(tar_path, 0, |len| bad(&[], &out, &format!("tar cut to {len}")));
        // Up to the last block of the tar nobody has to read anything to see it.
        each_cut(tar_path, 0, |len| {
            if len.next_multiple_of(512) < tar().len() {
                bad(&["--quick"], &out, &format!("tar cut to {len}, quick"));
            }
        });
        each_cut(&out, 0, |len| bad(&[], &out, &format!("bootstrap cut to {len}")));
        each_change(tar_path, 0..tar().len(), changes, |at| {
            bad(&[], &out, &format!("tar's byte {at}"))
        });
        fs::remove_file(tar_path).unwrap();
    }
    // A tar that is nowhere is no fault, but it is said.
    let report = good(&[], &out);
    assert_eq!(report["tars"].as_array().unwrap().len(), 0);
    assert_eq!(report["unread"].as_array().unwrap().len(), 2);
}

#[test]
fn all_commands_name_what_is_cut() {
    let image = Image::new();
    let (disk, tar_range, report) = disk(&image, "metadata-first", &["--verity"]);
    let root = report["verity"]["root_hash"].as_str().unwrap();
    let bytes = fs::read(&disk).unwrap();
    let cut = image.path("cut.disk");
    let out = image.path("out");
    let names = |ran: Ran, what: &str| {
        assert_eq!(ran.code, 1, "{what}: {}", ran.stdout);
        assert!(ran.stderr.contains("cut short"), "{what}: {}", ran.stderr);
        // Only `check` says something else than that.
        assert!(ran.stdout.is_empty() || ran.stdout.contains("cut short"), "{what}");
        assert!(!out.exists(), "{what}");
    };
    for len in [tar_range.start, tar_range.start + 1024, tar_range.end - 512] {
        fs::write(&cut, &bytes[..len]).unwrap();
        for command in [
            words(&["merge", "-o"], &[&out, &cut]),
            words(&["merge", "--disk", "-o"], &[&out, &cut]),
            words(&["export", "--mode", "image_block", "-o"], &[&out, &cut]),
            words(&["mount-args"], &[&cut]),
            words(&["mount-args", "--root", root], &[&cut]),
            words(&["cat"], &[&cut, Path::new("c")]),
            words(&["ls"], &[&cut]),
            words(&["check", "--against"], &[&image.path("one.tar"), &cut]),
        ] {
            names(run(&command), &format!("{command:?}, {len}"));
        }
    }
    // Whoever looks into it sees that too.
    assert!(ok(words(&["inspect"], &[&cut])).contains("cut short: "));
    // A disk of old, which does not say that it is one: by the tar in it.
    let mut old = bytes[..tar_range.end - 512].to_vec();
    old[512..528].fill(0);
    fs::write(&cut, &old).unwrap();
    names(run(words(&["merge", "-o"], &[&out, &cut])), "old");
    names(check(&[], &cut), "old");
    let report = &json(&check(&["--json"], &cut).stdout)[0];
    assert_eq!(report["ok"], false);
    assert!(report["problems"][0].as_str().unwrap().starts_with("was cut short"), "{report}");
    // A bootstrap's tar without its last bytes, in the block that the last file ends in.
    let odd = image.path("odd.tar");
    let whole = TarBuilder::new().file("f", [7; 700]).finish();
    fs::write(&odd, &whole).unwrap();
    let boot = image.path("odd.erofs");
    ok(words(&["layer", "--blob-id", "odd.tar", "-o"], &[&boot, &odd]));
    for (len, text) in [(1024, "needs"), (1200, "needs")] {
        fs::write(&odd, &whole[..len]).unwrap();
        for command in [
            words(&["merge", "--disk", "-o"], &[&out, &boot]),
            words(&["export", "--mode", "image_block", "-o"], &[&out, &boot]),
            words(&["mount-args"], &[&boot]),
            words(&["cat"], &[&boot, Path::new("f")]),
            words(&["check"], &[&boot]),
        ] {
            let ran = run(&command);
            assert_eq!(ran.code, 1, "{command:?}: {}", ran.stdout);
            assert!(ran.stderr.contains("odd.tar") && ran.stderr.contains(text), "{}", ran.stderr);
        }
    }
}

#[test]
fn good_images_of_all_forms_are_no_alarm() {
    let image = Image::new();
    let out = image.path("out");
    let path = out.to_str().unwrap();
    let placements = [
        &["--placement", "metadata-first"][..],
        &["--placement", "metadata-first", "--align", "512KiB"],
        &["--placement", "data-first"],
    ];
    // A bootstrap has none.
    for (disk, placement) in [(false, &[][..])].into_iter().chain(placements.map(|p| (true, p))) {
        for options in [
            &["merge"][..],
            &["merge", "--disk"],
            &["export", "--mode", "image_block"],
            &["export", "--mode", "image_block_with_verity"],
            &["export", "--mode", "image_block_with_verity", "--superblock"],
            &["export", "--mode", "image_block_with_verity", "--preset", "containerd"],
        ] {
            if disk == (options == ["merge"]) {
                continue;
            }
            ok(image.over_tars(&[options, placement, &["-o", path]].concat()));
            good(&[], &out);
            good(&["--quick"], &out);
            let against = image.over_tars(&["check", "--against"]);
            let against = against.into_iter().chain([out.as_os_str()]);
            assert!(ok(against).contains("by the layers"), "{options:?}");
        }
    }
    // A salt that nobody told: the bytes are there, and not understood.
    let salted = ["export", "--mode", "image_block_with_verity", "--salt", "aa55", "-o", path];
    ok(image.over_tars(&salted));
    let report = good(&[], &out);
    assert!(report["unread"].to_string().contains("no hash tree"), "{report}");
    let ran = check(&["--root", &"0".repeat(64)], &out);
    assert!(ran.code == 1 && ran.stdout.contains("say --salt"), "{}", ran.stdout);
    let report = good(&["--salt", "aa55"], &out);
    assert_ne!(report["verity"], Value::Null);
    // A bootstrap over a layer's disk, and beside it the bare tar of the same name.
    let (disk, _, _) = disk(&image, "data-first", &[]);
    ok(words(&["merge", "-o"], &[&out, &disk]));
    fs::write(image.path(&digest(&tar())), tar()).unwrap();
    let report = good(&[], &out);
    assert!(report["unread"].to_string().contains("not found"), "{report}");
    // Zeros behind a disk, as a volume has them.
    ok(image.over_tars(&["merge", "--disk", "-o", path]));
    let len = fs::metadata(&out).unwrap().len();
    fs::File::options().write(true).open(&out).unwrap().set_len(len + 100_000).unwrap();
    names_are_unread(&good(&[], &out));
    // A tar that ends within a block, and a tag that is no digest.
    let tar = image.path("odd.tar");
    let whole = TarBuilder::new().file("f", [7; 700]).finish();
    for len in [512 + 700, 2000, 3000] {
        fs::write(&tar, &whole[..len.min(whole.len())]).unwrap();
        for options in [&["layer"][..], &["layer", "--disk"], &["layer", "--blob-id", "x"]] {
            let ran = run(words(&[options, &["-o"]].concat(), &[&out, &tar]));
            if ran.code == 0 {
                good(&["--tars", image.dir.path().to_str().unwrap()], &out);
            }
        }
    }
}
