//! Layers that are unpacked into the disk itself, at the places that it has for them: no byte of it may depend on that.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use testkit::mount::small_tmpfs;
use testkit::tarball::TarBuilder;

use super::generator::Place;
use crate::run::{json, of_stdin, ok, run};

/// A layer that differs from others of another number, of some blocks.
fn tar(number: usize) -> Vec<u8> {
    let body: Vec<u8> = (0..number * 3000 + 100).map(|at| (at * (number + 3) / 7) as u8).collect();
    let tar = TarBuilder::new().dir("etc", 0o755).file(format!("etc/{number}"), body);
    tar.file("etc/all", number.to_string()).finish()
}

/// One member of it.
fn member(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

const EXPORT: [&str; 6] =
    ["export", "--json", "--mode", "image_block_with_verity", "--placement", "data-first"];

/// Exports layers; gives the bytes, and how many of them were at their places.
fn export(place: &Place, layers: &[String], stdin: &[u8]) -> (Vec<u8>, u64) {
    let out = place.text("out.disk");
    let words = EXPORT.iter().map(|word| (*word).to_owned()).chain(["-o".to_owned(), out.clone()]);
    let ran = of_stdin(stdin, words.chain(layers.iter().cloned()));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let report = &json(&ran.stdout)[0];
    let (bytes, copied) = (fs::read(&out).unwrap(), &report["copied"]);
    fs::remove_file(out).unwrap();
    (bytes, copied["in_place"].as_u64().unwrap())
}

/// The argument of an image of these blobs and their tars.
fn image(place: &Place, layers: &[(Vec<u8>, Vec<u8>)]) -> String {
    let mut layout = place.layout("layout");
    let blobs: Vec<_> = layers.iter().map(|(blob, tar)| (&blob[..], &tar[..])).collect();
    let image = layout.edited(&blobs, |_| {}, |_| {});
    layout.add(image, "");
    layout.done()
}

/// Tars as files of their own, which are copied.
fn files(place: &Place, layers: &[(Vec<u8>, Vec<u8>)]) -> Vec<String> {
    let name = |(number, (_, tar)): (usize, &(Vec<u8>, Vec<u8>))| {
        place.write(&format!("{number}.tar"), tar)
    };
    layers.iter().enumerate().map(name).collect()
}

/// A blob and its tar.
fn packed(tar: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    (member(&tar), tar)
}

#[test]
fn what_lies_where_is_no_matter() {
    let place = Place::new();
    let in_halves = |tar: Vec<u8>| {
        let (one, two) = tar.split_at(tar.len() / 1024 * 512);
        ([member(one), member(two)].concat(), tar)
    };
    let zstd = |tar: Vec<u8>| (zstd::encode_all(&tar[..], 1).unwrap(), tar);
    let empty = TarBuilder::new().dir("empty", 0o700).finish();
    let all = |numbers: &[usize]| numbers.iter().map(|n| packed(tar(*n))).collect::<Vec<_>>();
    let with = |at: usize, layer: (Vec<u8>, Vec<u8>)| {
        let mut layers = all(&[1, 2, 3, 4]);
        layers[at] = layer;
        layers
    };
    let whole =
        |layers: &[(Vec<u8>, Vec<u8>)]| layers.iter().map(|(_, tar)| tar.len() as u64).sum::<u64>();
    // What is in its place is all or nothing.
    let cases = [
        ("one", all(&[1]), true),
        ("several", all(&[1, 2, 3, 4, 5]), true),
        // The slots of their devices are more than a page.
        ("thirty", all(&(1..=30).collect::<Vec<_>>()), true),
        // The end of the stream tells the length of the second half only.
        ("a layer of two members", with(1, in_halves(tar(9))), false),
        ("the last of two members", with(3, in_halves(tar(9))), false),
        ("a layer whose length nothing tells", with(1, zstd(tar(9))), false),
        ("a tar as it is", with(1, (tar(9), tar(9))), false),
        ("no data", with(3, packed(empty.clone())), true),
        ("no data in the middle", with(1, packed(empty)), false),
        ("twice the same", with(2, packed(tar(2))), false),
    ];
    for (what, layers, is_whole) in cases {
        let (expected, copied) = export(&place, &files(&place, &layers), b"");
        assert_eq!(copied, 0, "{what}");
        let (disk, in_place) = export(&place, &[image(&place, &layers)], b"");
        assert!(disk == expected, "{what}: other bytes than of tars that are copied");
        let no_data = if what == "no data" { layers[3].1.len() as u64 } else { 0 };
        assert_eq!(in_place, if is_whole { whole(&layers) - no_data } else { 0 }, "{what}");
    }
}

#[test]
fn one_after_the_other() {
    let place = Place::new();
    let layers: Vec<_> = (1..5).map(|number| packed(tar(number))).collect();
    let (expected, _) = export(&place, &files(&place, &layers), b"");
    let blobs = layers.iter().enumerate();
    let mut args: Vec<_> =
        blobs.map(|(n, (blob, _))| place.write(&format!("{n}.gz"), blob)).collect();
    let length: u64 = layers.iter().map(|(_, tar)| tar.len() as u64).sum();
    assert!(export(&place, &args, b"") == (expected.clone(), length));
    args[2] = "-".to_owned();
    assert!(export(&place, &args, &layers[2].0) == (expected.clone(), length));
    assert!(export(&place, &args, &layers[2].1) == (expected.clone(), length));
    // One that stays where it is: all are copied.
    args[2] = files(&place, &layers)[2].clone();
    assert!(export(&place, &args, b"") == (expected, 0));
}

#[test]
fn what_is_broken_leaves_nothing() {
    let place = Place::new();
    let out = place.text("out.disk");
    let (blob, tar) = packed(tar(2));
    let mut longer = blob.clone();
    let at = longer.len() - 4;
    longer[at + 1] ^= 2; // another multiple of 512
    for (blob, why) in [
        (blob[..blob.len() - 9].to_vec(), "it ends in the middle"),
        (longer, "modulo 4294967296"),
        ([&blob[..], b"x"].concat(), "1 bytes follow"),
    ] {
        let image =
            image(&place, &[packed(self::tar(1)), (blob, tar.clone()), packed(self::tar(3))]);
        let ran = run([&EXPORT[..], &["-o", &out, &image]].concat());
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
        assert!(!place.path("out.disk").exists());
    }
    // All that is left is what was made here.
    let left = fs::read_dir(place.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["0.tar", "1.tar", "layout"]);
    ok(["root", &image(&place, &[packed(self::tar(1))])]);
}

/// Wherever the room ends: what had the name stays, and nothing else is left.
#[test]
fn a_full_disk_keeps_what_was_there() {
    let place = Place::new();
    let layers: Vec<_> = (1..4).map(|number| packed(tar(number))).collect();
    let image = image(&place, &layers);
    let (expected, _) = export(&place, &files(&place, &layers), b"");
    let pages = expected.len().div_ceil(4096) as u64;
    for room in 2..pages + 4 {
        let disk = small_tmpfs(room * 4096).unwrap();
        let out = disk.path().join("out.disk");
        fs::write(&out, "as it was").unwrap();
        let ran = run([&EXPORT[..], &["-o", out.to_str().unwrap(), &image]].concat());
        let is_made = room > pages;
        assert_eq!(ran.code, i32::from(!is_made), "{room} pages: {}", ran.stderr);
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1, "{room} pages");
        if is_made {
            assert!(fs::read(&out).unwrap() == expected, "{room} pages");
        } else {
            assert_eq!(fs::read(&out).unwrap(), b"as it was", "{room} pages");
            assert!(ran.stderr.contains("No space left on device"), "{room} pages: {}", ran.stderr);
            // Tars begin behind the first page: none is tried again from the start of a file of its own.
            let again = format!("{}: cannot write at offset 0:", disk.path().display());
            assert!(!ran.stderr.contains(&again), "{room} pages: {}", ran.stderr);
        }
    }
}
