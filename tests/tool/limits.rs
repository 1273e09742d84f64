//! Limits of what is read, which the user sets: `--limit NAME=N`, and what becomes longer than it should.

use std::fs;
use std::io::Write;

use testkit::limits::{Edge, edges, tar_at_the_edges};
use testkit::tarball::{SparseForm, TarBuilder};

use crate::run::{Image, ok, run};

/// Each limit reaches the library: what is just within it is taken, what is over it refused, by its name.
#[test]
fn each_limit_is_set() {
    let image = Image::new();
    let tar = image.path("limits.tar");
    let bytes = tar_at_the_edges();
    fs::write(&tar, &bytes).unwrap();
    let bootstrap = image.path("whole");
    ok(["layer", "-o", bootstrap.to_str().unwrap(), tar.to_str().unwrap()]);
    let made = fs::metadata(&bootstrap).unwrap().len();
    for Edge { limit, most: within, says } in edges(bytes.len() as u64, made) {
        let name = limit.name();
        let run = |limit: u64| {
            let out = image.path("out");
            let limit = format!("{name}={limit}");
            let args = ["layer", "--limit", &limit, "-o", out.to_str().unwrap()];
            run(args.into_iter().chain(tar.to_str()))
        };
        let ran = run(within);
        assert_eq!(ran.code, 0, "{name}, within: {}", ran.stderr);
        let ran = run(within - 1);
        assert_eq!(ran.code, 1, "{name}, over it");
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
        let says = format!("{within} {says} are over the limit {name} of {}", within - 1);
        let option = format!("(--limit {name}=N sets it)");
        for piece in [&*says, &option] {
            assert!(ran.stderr.contains(piece), "{name}: {}", ran.stderr);
        }
    }
}

/// Documents of an image, of which each has a length of its own: the longest is the edge.
#[test]
fn documents_have_a_limit() {
    let image = Image::new();
    let dir = image.path("layout");
    let tar = TarBuilder::new().file("f", b"x").finish();
    testkit::oci::write_layout(&dir, &[&tar]).unwrap();
    let longest = fs::read_dir(dir.join("blobs/sha256")).unwrap();
    let longest = longest.map(|blob| fs::read(blob.unwrap().path()).unwrap());
    let longest = longest.filter(|blob| blob.starts_with(b"{")).map(|blob| blob.len()).max();
    let longest = longest.unwrap().max(fs::read(dir.join("index.json")).unwrap().len());
    let of = format!("oci:{}", dir.display());
    let at = |most: usize| {
        let (limit, out) = (format!("max_json_bytes={most}"), image.path("out"));
        run(["merge", "--limit", &limit, "-o", out.to_str().unwrap(), &of])
    };
    assert_eq!(at(longest).code, 0, "{}", at(longest).stderr);
    let ran = at(longest - 1);
    let says = format!(
        "{longest} bytes of JSON are over the limit max_json_bytes of {} (--limit max_json_bytes=N sets it)",
        longest - 1
    );
    assert!(ran.code == 1 && ran.stderr.contains(&says), "{}", ran.stderr);
}

#[test]
fn limits_that_are_none_are_refused() {
    for (limit, why) in [
        ("max_byte=1", "no limit of that name: max_bytes, max_ratio"),
        ("max_bytes", "not NAME=N"),
        ("max_bytes=", "not a number of bytes"),
        ("max_bytes=1T", "not a number of bytes such as 4096"),
    ] {
        let ran = run(["layer", "--limit", limit, "x.tar"]);
        assert_eq!(ran.code, 2, "{limit}");
        assert!(ran.stderr.contains(why), "{limit}: {}", ran.stderr);
    }
}

/// 2 GiB of zeros in 2 MB of gzip, and in 200 KB of zstd: the error comes early, and nothing is left.
#[test]
fn streams_that_become_much_longer_are_refused() {
    let image = Image::new();
    let head = &TarBuilder::new().hole("zeros", 2 << 30).finish()[..512];
    let zeros = vec![0; 64 << 20];
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    // Members and frames one after the other are one stream.
    let bomb = |pack: &dyn Fn(&[u8]) -> Vec<u8>, pieces: usize| {
        [pack(head), pack(&zeros).repeat(pieces), pack(&[0; 1024])].concat()
    };
    for (name, bytes) in [("gzip", bomb(&gzip, 32)), ("zstd", bomb(&zstd, 32))] {
        let file = image.path(name);
        fs::write(&file, &bytes).unwrap();
        let start = std::time::Instant::now();
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        for command in ["layer", "merge"] {
            let ran = run([command, "-o", out.to_str().unwrap(), file.to_str().unwrap()]);
            assert_eq!(ran.code, 1, "{name}");
            let why = "are over the limit max_ratio of 200 (--limit max_ratio=N sets it)";
            assert!(ran.stderr.contains(why), "{name}: {}", ran.stderr);
            assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{name}");
        eprintln!("{name}: {} bytes, refused twice in {:?}", bytes.len(), start.elapsed());
    }
    // Who wants it gets it.
    let file = image.path("small");
    fs::write(
        &file,
        [
            zstd(&TarBuilder::new().hole("zeros", 320 << 20).finish()[..512]),
            zstd(&zeros).repeat(5),
            zstd(&[0; 1024]),
        ]
        .concat(),
    )
    .unwrap();
    let out = image.path("out");
    let args = |ratio| {
        [
            "layer",
            "--index-only",
            "--limit",
            ratio,
            "-o",
            out.to_str().unwrap(),
            file.to_str().unwrap(),
        ]
    };
    assert_eq!(run(args("max_ratio=200")).code, 1);
    ok(args("max_ratio=1000000"));
}

/// A layer of an archive that is a hole of 1 TiB there.
#[test]
fn layers_that_are_holes_are_refused() {
    let image = Image::new();
    let manifest = r#"[{"Config":"c.json","RepoTags":[],"Layers":["layer.tar"]}]"#;
    let zeros = "0".repeat(64);
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["sha256:{zeros}"]}}}}"#
    );
    let archive = TarBuilder::new()
        .file("manifest.json", manifest)
        .file("c.json", config)
        .sparse(SparseForm::Pax10, "layer.tar", 1 << 40, &[(0, &[0; 512])])
        .finish();
    let file = image.path("archive.tar");
    fs::write(&file, archive).unwrap();
    let out = image.path("out");
    let of = format!("docker-archive:{}", file.display());
    let ran = run(["merge", "--platform", "linux/amd64", "-o", out.to_str().unwrap(), &of]);
    assert_eq!(ran.code, 1);
    for why in ["layer.tar: 1099511627776 bytes made of", "are over the limit max_ratio of 200"] {
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}
