//! `tarfs inspect --svg`: an XML parser reads the picture, and what it finds is to scale.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::oracle;
use testkit::tarball::TarBuilder;

use crate::run::{Image, json, ok};

/// What Python's parser makes of a picture: a list of bars, each a list of rectangles.
const PARSE: &str = r#"
import json, sys, xml.etree.ElementTree as tree
svg = "{http://www.w3.org/2000/svg}"
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == svg + "svg", root.tag
bars = []
for group in root.iter(svg + "g"):
    parts = [dict(part.attrib, title=part.find(svg + "title").text) for part in group.iter(svg + "rect")]
    bars.append({"bytes": group.get("data-bytes"), "parts": parts})
texts = [text.text for text in root.iter(svg + "text")]
marks = len(list(root.iter(svg + "path")))
json.dump({"marks": marks, "height": root.get("height"), "bars": bars, "texts": texts}, sys.stdout)
"#;

fn parsed(picture: &Path) -> Option<Value> {
    let python = oracle::tool("python3", "apt-get install python3")?;
    let out = Command::new(python).args(["-c", PARSE]).arg(picture).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(serde_json::from_slice(&out.stdout).unwrap())
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Every bar without gaps, every part as high as its bytes; the parts of each as (kind, offset,
/// bytes).
#[track_caller]
fn to_scale(picture: &Value) -> Vec<Vec<(String, u64, u64)>> {
    let bars = picture["bars"].as_array().unwrap();
    let longest = bars.iter().map(|bar| number(&bar["bytes"])).fold(0.0, f64::max);
    let height = |bar: &Value| -> f64 {
        bar["parts"].as_array().unwrap().iter().map(|part| number(&part["height"])).sum()
    };
    let tallest = bars.iter().map(height).fold(0.0, f64::max);
    assert!(tallest > 300.0 && tallest < number(&serde_json::json!(picture["height"])));
    let scale = tallest / longest;
    let bar = |bar: &Value| {
        let parts = bar["parts"].as_array().unwrap();
        let mut y = number(&parts[0]["y"]);
        let mut sum = 0;
        let mut all = Vec::new();
        for part in parts {
            let bytes: u64 = part["data-bytes"].as_str().unwrap().parse().unwrap();
            // Three digits are written; the sum of many may be off by as many.
            let near = |a: f64, b: f64| (a - b).abs() < 0.02;
            assert!(near(number(&part["y"]), y), "{part}");
            assert!(near(number(&part["height"]), bytes as f64 * scale), "{part}");
            y += bytes as f64 * scale;
            sum += bytes;
            let offset = part["data-offset"].as_str().unwrap().parse().unwrap();
            all.push((part["data-kind"].as_str().unwrap().to_owned(), offset, bytes));
        }
        assert_eq!(sum as f64, number(&bar["bytes"]));
        all
    };
    bars.iter().map(bar).collect()
}

/// Parts that follow each other from byte 0 to the end of a file.
#[track_caller]
fn expect_whole(parts: &[(String, u64, u64)], file: &Path) {
    let mut at = 0;
    for (kind, offset, bytes) in parts {
        assert_eq!(*offset, at, "{kind}");
        at += bytes;
    }
    assert_eq!(at, fs::metadata(file).unwrap().len());
}

fn bytes_of(parts: &[(String, u64, u64)]) -> BTreeMap<&str, u64> {
    let mut sums = BTreeMap::new();
    parts.iter().for_each(|(kind, _, bytes)| *sums.entry(kind.as_str()).or_insert(0) += bytes);
    sums
}

#[test]
fn a_sealed_disk_is_drawn_to_scale() {
    let image = Image::new();
    let disk = image.path("image.disk");
    let (svg, again) = (image.path("a.svg"), image.path("b.svg"));
    for (options, expected) in [
        (&["--preset", "nydus"][..], &["HashLevel"][..]),
        // Found by its superblock, without a word about it.
        (
            &["--preset", "containerd", "--placement", "data-first"],
            &["HashSuperblock", "HashLevel"],
        ),
        (
            &[
                "--data-block-size",
                "1024",
                "--hash-block-size",
                "1024",
                "--salt",
                "ab",
                "--any-data-block",
            ],
            &[],
        ),
    ] {
        let mode = ["export", "--mode", "image_block_with_verity", "--json", "-o"];
        let args = [&mode[..], &[disk.to_str().unwrap()], options].concat();
        let report = &json(&ok(image.over_tars(&args)))[0];
        for out in [&svg, &again] {
            ok(["inspect".as_ref(), "--svg".as_ref(), out.as_os_str(), disk.as_os_str()]);
        }
        let picture = fs::read(&svg).unwrap();
        assert!(picture == fs::read(&again).unwrap(), "the same image, another picture");

        let Some(drawn) = parsed(&svg) else { return };
        let parts = &to_scale(&drawn)[0];
        expect_whole(parts, &disk);
        // The tars as they are, and the tree where the export says it is.
        let sums = bytes_of(parts);
        let devices = report["devices"].as_array().unwrap();
        let tars: u64 = devices.iter().map(|device| device["blocks"].as_u64().unwrap() * 512).sum();
        assert_eq!(sums["Tar"], tars);
        for device in devices {
            let offset = device["base_offset"].as_u64().unwrap();
            assert!(parts.iter().any(|(kind, at, _)| kind == "Tar" && *at == offset), "{device}");
        }
        let size = report["size"].as_u64().unwrap();
        let verity = &report["verity"];
        let at = verity["hash_offset"].as_u64().unwrap();
        for kind in expected {
            assert!(sums.contains_key(kind), "{kind}: {sums:?}");
        }
        match expected.contains(&"HashLevel") {
            true => {
                let hash_block = verity["hash_block_size"].as_u64().unwrap();
                let first = parts.iter().find(|(kind, ..)| kind == "HashLevel").unwrap();
                let superblock = if expected.len() > 1 { hash_block } else { 0 };
                assert_eq!((first.1, first.2), (at + superblock, hash_block), "the root's block");
                assert_eq!(sums["HashLevel"], size - at - superblock);
                assert!(!sums.contains_key("Unknown"), "{sums:?}");
            }
            // Nobody said how it is made: not a guess.
            false => assert!(sums["Unknown"] > 0 && !sums.contains_key("HashLevel"), "{sums:?}"),
        }
        if expected.is_empty() {
            let parameters = options.iter().filter(|word| **word != "--any-data-block");
            let parameters: Vec<_> = parameters.copied().collect();
            let words = [&["inspect", "--svg", svg.to_str().unwrap()], &parameters[..]].concat();
            ok([&words[..], &[disk.to_str().unwrap()]].concat());
            let parts = &to_scale(&parsed(&svg).unwrap())[0];
            assert!(bytes_of(parts).contains_key("HashLevel"), "as the options say");
        }
    }
}

#[test]
fn a_bootstrap_is_drawn_beside_its_devices() {
    let image = Image::new();
    // What XML cannot say, and what it says otherwise.
    let tag = "<&>\"'\u{1}\u{fffe}";
    let tar: &PathBuf = &image.tars[0];
    let (erofs, svg) = (image.path("odd & <name>.erofs"), image.path("a.svg"));
    ok(["layer".as_ref(), "--blob-id".as_ref(), tag.as_ref(), "-o".as_ref(), erofs.as_os_str()]
        .into_iter()
        .chain([tar.as_os_str()]));
    ok(["inspect".as_ref(), "--svg".as_ref(), svg.as_os_str(), erofs.as_os_str()]);
    let Some(drawn) = parsed(&svg) else { return };
    let [file, devices] = &to_scale(&drawn)[..] else { panic!("two bars: {drawn}") };
    expect_whole(file, &erofs);
    let bytes = fs::metadata(tar).unwrap().len();
    assert_eq!((devices.len(), devices[0].2), (1, bytes));
    let texts: Vec<_> = drawn["texts"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
    assert!(texts.contains(&"odd & <name>.erofs"), "{texts:?}");
    assert!(texts.contains(&"device 1 <&>\"'\u{fffd}\u{fffd}"), "{texts:?}");
}

#[test]
fn what_is_thin_is_marked_and_not_widened() {
    let image = Image::new();
    let (tar, disk, svg) = (image.path("big.tar"), image.path("big.disk"), image.path("a.svg"));
    fs::write(&tar, TarBuilder::new().file("big", vec![1; 8 << 20]).finish()).unwrap();
    ok(["layer", "--disk", "--blob-id", "a", "-o"]
        .map(OsStr::new)
        .into_iter()
        .chain([disk.as_os_str(), tar.as_os_str()]));
    ok(["verity".as_ref(), "format".as_ref(), disk.as_os_str()]);
    ok(["inspect".as_ref(), "--svg".as_ref(), svg.as_os_str(), disk.as_os_str()]);
    let Some(drawn) = parsed(&svg) else { return };
    let parts = &to_scale(&drawn)[0];
    expect_whole(parts, &disk);
    let heights = drawn["bars"][0]["parts"].as_array().unwrap().iter();
    let thin = heights.filter(|part| number(&part["height"]) < 2.0).count();
    assert!(thin >= 3, "{drawn}");
    assert_eq!(drawn["marks"], thin);
}

/// Layers by hundreds: what is small is folded, and the picture stays one that viewers show.
#[test]
fn many_layers_fit_a_screen() {
    let image = Image::new();
    let (out, svg) = (image.path("disk"), image.path("picture.svg"));
    let mut args = vec!["merge".into(), "--disk".into(), "-o".into(), out.clone()];
    for number in 0..700 {
        let tar = image.path(&format!("{number}.layer"));
        let body = vec![1; if number % 100 == 5 { 300_000 } else { 10 }];
        fs::write(&tar, TarBuilder::new().file(format!("f{number}"), body).finish()).unwrap();
        args.push(tar);
    }
    ok(&args);
    ok(["inspect".as_ref(), "--svg".as_ref(), svg.as_os_str(), out.as_os_str()]);
    let Some(drawn) = parsed(&svg) else { return };
    assert!(number(&drawn["height"]) < 2000.0, "{}", drawn["height"]);
    let bars = to_scale(&drawn);
    assert!(bars[0].len() <= 81, "{}", bars[0].len());
    let large = fs::metadata(image.path("5.layer")).unwrap().len();
    let large = bars[0].iter().filter(|(_, _, bytes)| *bytes == large).count();
    assert_eq!(large, 7, "the large layers are parts of their own");
    let whole: u64 = bars[0].iter().map(|(_, _, bytes)| bytes).sum();
    assert_eq!(whole, fs::metadata(&out).unwrap().len());
}
