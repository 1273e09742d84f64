//! `layer --disk --verity`: a layer's disk and its hash tree, of files and in one pass of streams.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::tarball::TarBuilder;

use crate::modes::verify;
use crate::run::{Image, json, mounted, ok, ok_of, run};

/// `layer --disk --verity` of standard input.
fn of_stream(bytes: &[u8], options: &[&str], out: &Path) -> Value {
    let layer = ["layer", "--disk", "--verity", "--json"].iter().chain(options).map(OsStr::new);
    let paths = ["-o".as_ref(), out.as_os_str(), "-".as_ref()];
    json(&ok_of(bytes, layer.chain(paths))).remove(0)
}

#[test]
fn in_one_pass_and_of_files_and_by_export_the_same() {
    let image = Image::new();
    let (input, disk, other) = (image.path("in.tar"), image.path("disk"), image.path("other"));
    let odd = TarBuilder::new().file("f", [7; 3000]).finish(); // ends on no 4096-byte block
    let empty = TarBuilder::new().dir("dir", 0o755).finish();
    let layers = image.stack.layers.iter().map(|layer| &layer.tar);
    for tar in layers.chain([&odd, &empty]) {
        fs::write(&input, tar).unwrap();
        for placement in ["data-first", "metadata-first"] {
            for options in [&[][..], PAGES, SALTED] {
                let options = [options, &["--placement", placement]].concat();
                let report = of_stream(tar, &options, &disk);
                assert_eq!(report["size"], fs::metadata(&disk).unwrap().len());
                verify(&disk, &disk, &report["verity"]);
                let bytes = fs::read(&disk).unwrap();

                let layer = ["layer", "--disk", "--verity", "-o"].map(OsStr::new);
                let mode = ["export", "--mode", "layer_block_with_verity", "-o"].map(OsStr::new);
                for command in [layer, mode] {
                    let rest = options.iter().map(OsStr::new);
                    let paths = [other.as_os_str()].into_iter().chain(rest);
                    ok(command.into_iter().chain(paths).chain([input.as_os_str()]));
                    assert!(fs::read(&other).unwrap() == bytes, "{command:?} {options:?}");
                }
            }
        }
    }
}

const PAGES: &[&str] = &["--data-block-size", "4096", "--any-data-block"];
const SALTED: &[&str] = &["--salt", "00ff17", "--data-block-size", "1024", "--any-data-block"];

#[test]
fn the_kernel_mounts_what_streamed_by() {
    let image = Image::new();
    for (index, layer) in image.stack.layers.iter().enumerate() {
        let out = image.path("sealed.disk");
        of_stream(&layer.tar, &["--placement", "data-first"], &out);
        image.expect_layer(index, &mounted(&out));
    }
}

#[test]
fn a_stream_that_breaks_off_leaves_nothing() {
    let image = Image::new();
    let tar = &image.stack.layers[0].tar;
    let dir = image.path("empty");
    fs::create_dir(&dir).unwrap();
    for cut in [1, 700, (tar.len() / 3) | 1] {
        let input = image.path("cut.tar");
        fs::write(&input, &tar[..cut]).unwrap();
        let out = dir.join("disk");
        let words = ["layer", "--disk", "--verity", "--placement", "data-first", "-o"];
        let ran =
            run(words.map(OsStr::new).into_iter().chain([out.as_os_str(), input.as_os_str()]));
        assert_eq!(ran.code, 1, "{cut}");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "{cut}");
    }
}

#[test]
fn verity_options_want_verity() {
    for words in [
        &["layer", "--verity", "x.tar"][..],
        &["layer", "--disk", "--salt", "00", "x.tar"],
        &["layer", "--disk", "--superblock", "x.tar"],
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
    }
}

/// One root hash for the same layers, however they are given: policies know it ahead.
#[test]
fn of_tars_of_bootstraps_and_of_disks_the_same() {
    let image = Image::new();
    let out = image.path("out");
    let made = |arguments: &[&OsStr]| {
        let export = ["export", "--mode", "image_block_with_verity", "-o"].map(OsStr::new);
        ok([&export[..], &[out.as_os_str()], arguments].concat());
        fs::read(&out).unwrap()
    };
    let tars: Vec<&OsStr> = image.tars.iter().map(|tar| tar.as_os_str()).collect();
    let of_tars = made(&tars);
    for options in [&["-o"][..], &["--disk", "-o"], &["--disk", "--placement", "data-first", "-o"]]
    {
        let layer = |number: usize| {
            let layer = image.path(&format!("layer{number}"));
            let words = ["layer"].iter().chain(options).map(OsStr::new);
            ok(words.chain([layer.as_os_str(), tars[number]]));
            layer
        };
        let layers: Vec<_> = (0..tars.len()).map(layer).collect();
        let layers: Vec<&OsStr> = layers.iter().map(|layer| layer.as_os_str()).collect();
        assert!(made(&layers) == of_tars, "{options:?}");
        let mixed: Vec<&OsStr> = tars[..1].iter().chain(&layers[1..]).copied().collect();
        assert!(made(&mixed) == of_tars, "{options:?}, mixed");
    }
}
