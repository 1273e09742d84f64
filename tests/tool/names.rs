//! Outputs that are named by others: no two have one name, unless they have the same bytes.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use testkit::tarball::TarBuilder;

use crate::run::{Image, json, ok, run};

fn words(words: &[&str], paths: &[&Path]) -> Vec<OsString> {
    words.iter().map(OsString::from).chain(paths.iter().map(Into::into)).collect()
}

#[test]
fn layers_of_one_tag_do_not_lose_each_other() {
    let image = Image::new();
    let mut boots = Vec::new();
    for (index, body) in [[1; 700], [2; 700]].iter().enumerate() {
        let dir = image.path(&format!("d{index}"));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("l.tar"), TarBuilder::new().file("f", body).finish()).unwrap();
        boots.push(dir.join("l.erofs"));
        ok(words(&["layer", "--blob-id", "tag", "-o"], &[&boots[index], &dir.join("l.tar")]));
    }
    let out = image.path("out");
    for form in ["raw", "vmdk", "dm-linear"] {
        for mode in ["layer_block", "layer_block_with_verity"] {
            let export = ["export", "--mode", mode, "--form", form, "--json", "-o"];
            let ran = run(words(&export, &[&out, &boots[0], &boots[1]]));
            assert_eq!(ran.code, 1, "{form}: {}", ran.stdout);
            assert!(ran.stderr.contains("d0") && ran.stderr.contains("d1"), "{}", ran.stderr);
            assert!(!out.exists());
            // The same layer again is the same file again.
            let tar = image.tars[0].as_path();
            let reports = json(&ok(words(&export, &[&out, tar, tar])));
            let files = fs::read_dir(&out).unwrap().count();
            assert_eq!(files, if form == "raw" { 1 } else { 2 }, "{form}: {reports:?}");
            fs::remove_dir_all(&out).unwrap();
        }
    }
}

#[test]
fn an_output_does_not_take_the_place_of_what_is_kept_beside_it() {
    let image = Image::new();
    let dir = image.path("alone");
    fs::create_dir(&dir).unwrap();
    let zst = image.path("in.tar.zst");
    fs::write(&zst, zstd::encode_all(&image.stack.layers[0].tar[..], 1).unwrap()).unwrap();
    let ran = run(words(&["layer", "--blob-id", "name", "-o"], &[&dir.join("name"), &zst]));
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    // Twice the same tar is kept once.
    ok(words(&["merge", "-o"], &[&dir.join("image"), &zst, &zst]));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
}
