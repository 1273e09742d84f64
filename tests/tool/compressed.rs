//! Compressed tars: padding, what is behind them, where they fail.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use testkit::rng::Rng;
use testkit::tarball::TarBuilder;

use crate::run::{Image, of_stdin, ok, ok_of, run};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// By a program that compresses its standard input.
fn by(program: &str, bytes: &[u8]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tar");
    fs::write(&path, bytes).unwrap();
    let made = Command::new(program).arg("-c").arg(&path).output().unwrap();
    assert!(made.status.success(), "{program}");
    made.stdout
}

/// Layers of all compressions in one image: what is made is what the tars make.
#[test]
fn xz_and_bzip2_are_layers_like_others() {
    let image = Image::new();
    let packed: Vec<_> = (0..)
        .zip(&image.stack.layers)
        .map(|(at, layer)| {
            let path = image.path(&format!("packed-{at}"));
            fs::write(&path, by(["xz", "bzip2"][at % 2], &layer.tar)).unwrap();
            path
        })
        .collect();
    let root = ok(image.over_tars(&["root"]));
    assert_eq!(
        ok([OsStr::new("root")].into_iter().chain(packed.iter().map(|p| p.as_os_str()))),
        root
    );
}

#[test]
fn padding_behind_a_stream_is_no_part_of_it() {
    let image = Image::new();
    let tar = &image.stack.layers[0].tar;
    let out = image.path("out.disk");
    let layer = |input: &str| {
        ok(["layer", "--disk", "-o", out.to_str().unwrap(), input]);
        fs::read(&out).unwrap()
    };
    let expected = layer(image.tars[0].to_str().unwrap());
    let zst = zstd::encode_all(&tar[..], 1).unwrap();
    for (name, mut bytes) in [
        ("p.tgz", gzip(tar)),
        ("p.tar.zst", zst),
        ("p.tar.xz", by("xz", tar)),
        ("p.tar.bz2", by("bzip2", tar)),
    ] {
        // The record of a tape.
        bytes.resize(bytes.len().next_multiple_of(10_240) + 10_240, 0);
        let input = image.path(name);
        fs::write(&input, &bytes).unwrap();
        assert!(layer(input.to_str().unwrap()) == expected, "{name}");
        ok_of(&bytes, ["layer", "--disk", "-o", out.to_str().unwrap(), "-"]);
        assert!(fs::read(&out).unwrap() == expected, "{name} as a stream");
    }
}

/// As skopeo makes it of pzstd's layers (findings/skopeo-zips-zstd-again.sh), whose own bytes are read.
#[test]
fn packed_twice() {
    let image = Image::new();
    // Noise, so that a header's length is left of it.
    let path = image.path("noise.tar");
    let tar = TarBuilder::new().file("noise", Rng::new(7).bytes(10_000)).finish();
    fs::write(&path, &tar).unwrap();
    let skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00size";
    let pzstd = [&skipped[..], &zstd::encode_all(&tar[..], 1).unwrap()].concat();
    let root = ok(["root", path.to_str().unwrap()]);
    assert_eq!(ok_of(&pzstd, ["root", "-"]), root);
    let ran = of_stdin(&gzip(&pzstd), ["root", "-"]);
    let why = "neither plain nor compressed once by gzip";
    assert!(ran.code == 1 && ran.stderr.contains(why), "{}", ran.stderr);
}

#[test]
fn other_bytes_behind_a_stream_are_counted() {
    let image = Image::new();
    let tar = &image.stack.layers[0].tar;
    let zst = zstd::encode_all(&tar[..], 1).unwrap();
    for (name, stream) in [
        ("b.tgz", gzip(tar)),
        ("b.tar.zst", zst),
        ("b.tar.xz", by("xz", tar)),
        ("b.tar.bz2", by("bzip2", tar)),
    ] {
        let end = stream.len();
        let input = image.path(name);
        fs::write(&input, [&stream[..], &[0; 100], b"rest", &[0; 7]].concat()).unwrap();
        let out = image.path("not");
        for command in ["layer", "merge"] {
            let ran = run([command, "-o", out.to_str().unwrap(), input.to_str().unwrap()]);
            assert_eq!(ran.code, 1, "{}", ran.stderr);
            let place = format!("{name}: the ");
            assert!(ran.stderr.contains(&place), "{}", ran.stderr);
            assert!(ran.stderr.contains(&format!("at byte {end} of")), "{}", ran.stderr);
            assert!(ran.stderr.contains("111 bytes follow, 4 of them"), "{}", ran.stderr);
            assert!(!out.exists());
        }
    }
}

#[test]
fn a_stream_that_is_cut_or_changed_fails_where_it_is() {
    let image = Image::new();
    // Noise: as many bytes compressed as not.
    let mut seed = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    })
    .take(3 << 20)
    .collect();
    let tar = TarBuilder::new().file("noise", noise).finish();
    let zst = zstd::encode_all(&tar[..], 1).unwrap();
    for (name, stream) in [("c.tgz", gzip(&tar)), ("c.tar.zst", zst)] {
        let cut = stream.len() - 1_000_000;
        let input = image.path(name);
        fs::write(&input, &stream[..cut]).unwrap();
        let out = image.path("not");
        let ran = run(["layer", "-o", out.to_str().unwrap(), input.to_str().unwrap()]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let place = format!("{name}: the ");
        assert!(ran.stderr.contains(&place), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("at byte {cut} of")), "{}", ran.stderr);
        assert!(ran.stderr.contains("it ends in the middle"), "{}", ran.stderr);
    }
}

/// What `--blob-id` says may be the name of anything.
#[test]
fn an_uncompressed_tar_takes_no_place_of_another_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let plain = TarBuilder::new().file("f", "x").finish();
    let (gz, out, kept) = (path("one.tar.gz"), path("out"), path("name"));
    fs::write(&gz, gzip(&plain)).unwrap();
    let words = ["layer", "--blob-id", "name", "-o"].map(OsStr::new);
    let layer = || run(words.into_iter().chain([out.as_os_str(), gz.as_os_str()]));
    fs::write(&kept, "something else").unwrap();
    let ran = layer();
    assert!(ran.code == 1 && ran.stderr.contains("name: is there"), "{}", ran.stderr);
    assert_eq!(fs::read(&kept).unwrap(), b"something else");
    assert!(!out.exists());
    fs::remove_file(&kept).unwrap();
    for _ in 0..2 {
        let ran = layer();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(fs::read(&kept).unwrap(), plain);
    }
}
