//! `root`: the root hash that a sealed disk has, before there is one.

use std::ffi::OsStr;
use std::fs;

use testkit::oci::write_layout;

use crate::modes::verify;
use crate::run::{Image, json, ok, ok_of, run};

/// Options of the disk: block sizes, salts, orders and forms.
const OPTIONS: [&[&str]; 6] = [
    &[],
    &["--preset", "containerd"],
    &["--placement", "data-first", "--salt", "00ff17"],
    &["--block-size", "4096", "--preset", "containerd-4k"],
    &["--align", "512KiB", "--data-block-size", "1024", "--any-data-block", "--checksum"],
    &["--aufs-whiteouts", "--uuid", "00112233-4455-6677-8899-aabbccddeeff"],
];

fn command<'a>(words: &[&'a str], more: &[&'a str], paths: &[&'a OsStr]) -> Vec<&'a OsStr> {
    let words = words.iter().chain(more).map(|word| OsStr::new(*word));
    words.chain(paths.iter().copied()).collect()
}

#[test]
fn of_all_layers_it_is_that_of_the_disk_which_veritysetup_verifies() {
    let image = Image::new();
    let disk = image.path("image.disk");
    let tars: Vec<&OsStr> = image.tars.iter().map(|tar| tar.as_os_str()).collect();
    let mut roots = Vec::new();
    for options in OPTIONS {
        let said = ok(command(&["root"], options, &tars));
        let report = &json(&ok(command(&["root", "--json"], options, &tars)))[0];
        assert_eq!(said, format!("{}\n", report["root_hash"].as_str().unwrap()), "{options:?}");
        assert_eq!(report.get("layer"), None);
        assert!(!disk.exists());
        let words = ["export", "--mode", "image_block_with_verity", "-o"];
        let words = [&words[..], &[disk.to_str().unwrap()]].concat();
        ok(command(&words, options, &tars));
        let mut tree = report.clone();
        if options.contains(&"--preset") {
            // Behind the superblock, which veritysetup is not told to read.
            let at = report["hash_offset"].as_u64().unwrap();
            tree["hash_offset"] = (at + report["hash_block_size"].as_u64().unwrap()).into();
        }
        verify(&disk, &disk, &tree);
        roots.push(said);
        fs::remove_file(&disk).unwrap();
    }
    roots.sort();
    roots.dedup();
    assert_eq!(roots.len(), OPTIONS.len(), "each of them changes the disk");
}

#[test]
fn of_each_layer_it_is_that_of_its_disk() {
    let image = Image::new();
    let tars: Vec<&OsStr> = image.tars.iter().map(|tar| tar.as_os_str()).collect();
    let lines = ok(command(&["root", "--each-layer"], &[], &tars));
    let reports = json(&ok(command(&["root", "--each-layer", "--json"], &[], &tars)));
    assert_eq!(reports.len(), tars.len());
    let disk = image.path("layer.disk");
    for ((line, report), tar) in lines.lines().zip(&reports).zip(&image.tars) {
        let root = report["root_hash"].as_str().unwrap();
        assert_eq!(line, format!("{root}  {}", tar.display()));
        assert_eq!(report["layer"].as_str(), tar.to_str());
        let words = ["layer", "--disk", "--verity", "-o", disk.to_str().unwrap()];
        ok(command(&words, &[], &[tar.as_os_str()]));
        verify(&disk, &disk, report);
    }
    assert_eq!(lines.lines().count(), tars.len());
}

#[test]
fn of_an_image_in_a_layout_and_of_a_stream_it_is_the_same() {
    let image = Image::new();
    let layers: Vec<&Vec<u8>> = image.stack.layers.iter().map(|layer| &layer.tar).collect();
    let layout = image.path("layout");
    write_layout(&layout, &layers).unwrap();
    let tars: Vec<&OsStr> = image.tars.iter().map(|tar| tar.as_os_str()).collect();
    let oci = format!("oci:{}", layout.display());
    let expected = ok(command(&["root"], &[], &tars));
    assert_eq!(ok(["root", &oci]), expected);
    let first = ok(command(&["root"], &[], &tars[..1]));
    assert_eq!(ok_of(layers[0], ["root", "-"]), first);
    assert_ne!(first, expected);
}

#[test]
fn what_cannot_be_sealed_has_none() {
    let image = Image::new();
    let tar = image.tars[0].to_str().unwrap();
    let refused: [(&[&str], i32, &str); 5] = [
        (&["--data-block-size", "4096", tar], 2, "--any-data-block"),
        (
            &["--each-layer", "--uuid", "00112233-4455-6677-8899-aabbccddeeff", tar, tar],
            2,
            "--uuid",
        ),
        (&["/no/such.tar"], 1, "/no/such.tar"),
        (&["--sidecar", tar], 2, "--sidecar"),
        (&[], 2, "LAYER"),
    ];
    for (args, code, text) in refused {
        let ran = run([&["root"], args].concat());
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(text), "{args:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{args:?}");
    }
}

/// A hash that is not known is none: not an empty line, which a script would compare.
#[test]
fn a_tar_that_breaks_off_has_none() {
    let image = Image::new();
    let whole = &image.stack.layers[0].tar;
    let cut = image.path("cut.tar");
    fs::write(&cut, &whole[..whole.len() / 1024 * 512 + 100]).unwrap();
    for args in [&["root"][..], &["root", "--json"], &["root", "--each-layer"]] {
        let ran = run(command(args, &[], &[cut.as_os_str()]));
        assert_eq!((ran.code, &*ran.stdout), (1, ""), "{args:?}");
        assert!(ran.stderr.contains("cut.tar"), "{}", ran.stderr);
    }
}
