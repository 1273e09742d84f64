//! What comes in: compressed tars, streams, OCI layouts, `docker save` files; and listings.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use testkit::mount::Erofs;
use testkit::oci::write_layout;
use testkit::tarball::TarBuilder;

use crate::run::{Image, Ran, digest, json, mounted, ok, ok_of, run, tool};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_tars_and_streams() {
    let image = Image::new();
    let tar = &image.stack.layers[0].tar;
    // Two members, as pigz and estargz write them.
    let (front, back) = tar.split_at(1000);
    let gz = [gzip(front), gzip(back)].concat();
    let zst = zstd::encode_all(&tar[..], 1).unwrap();
    let id = digest(tar);
    for (name, bytes) in [("a.tar.gz", gz), ("a.tar.zst", zst), ("b.tar", tar.clone())] {
        let out = image.path("out.erofs");
        let input = image.path(name);
        fs::write(&input, &bytes).unwrap();
        ok(["layer".as_ref(), "-o".as_ref(), out.as_os_str(), input.as_os_str()]);
        let of_file = fs::read(&out).unwrap();
        // The uncompressed tar is beside it, named by its digest.
        if name != "b.tar" {
            assert!(fs::read(image.path(&id)).unwrap() == *tar);
            image.expect_layer(0, &Erofs::new(&out).devices([image.path(&id)]).mount().unwrap());
        }

        ok_of(&bytes, ["layer".as_ref(), "-o".as_ref(), out.as_os_str(), "-".as_ref()]);
        assert!(fs::read(&out).unwrap() == of_file, "{name}: a stream or a file, the same");

        let dir = image.path(&format!("only-{name}"));
        fs::create_dir(&dir).unwrap();
        let only = dir.join("only.erofs");
        let words = ["layer".as_ref(), "--index-only".as_ref(), "-o".as_ref(), only.as_os_str()];
        ok_of(&bytes, words.into_iter().chain(["-".as_ref()]));
        assert!(fs::read(&only).unwrap() == of_file, "{name}: kept or not, the same");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "{name}: nothing else is kept");
    }
}

/// `layer --disk -` with these bytes on its standard input.
fn layer_disk(bytes: &[u8], placement: &str, out: &Path) {
    let words = ["layer", "--disk", "--placement", placement, "-o"].map(OsStr::new);
    ok_of(bytes, words.into_iter().chain([out.as_os_str(), "-".as_ref()]));
}

#[test]
fn disks_of_streams_are_those_of_files() {
    let image = Image::new();
    let empty = TarBuilder::new().dir("dir", 0o755);
    let full = image.stack.layers[0].tar.clone();
    for tar in [full, empty.finish()] {
        let input = image.path("in.tar");
        fs::write(&input, &tar).unwrap();
        for placement in ["data-first", "metadata-first"] {
            let (of_file, of_stream) = (image.path("file.disk"), image.path("stream.disk"));
            let words = ["layer", "--disk", "--placement", placement, "-o"];
            ok(words.map(OsStr::new).into_iter().chain([of_file.as_os_str(), input.as_os_str()]));
            for bytes in [tar.clone(), gzip(&tar)] {
                layer_disk(&bytes, placement, &of_stream);
                assert!(
                    fs::read(&of_stream).unwrap() == fs::read(&of_file).unwrap(),
                    "{placement}"
                );
            }
        }
    }
    image.expect_layer(
        0,
        &mounted(&{
            let out = image.path("first.disk");
            layer_disk(&image.stack.layers[0].tar, "data-first", &out);
            out
        }),
    );
}

#[test]
fn an_oci_layout() {
    let image = Image::new();
    let dir = image.path("oci");
    let layers: Vec<_> = image.stack.layers.iter().map(|layer| &layer.tar).collect();
    write_layout(&dir, &layers).unwrap();
    for form in [format!("oci:{}:latest", dir.display()), format!("oci:{}", dir.display())] {
        let disk = image.path("disk");
        let mode = ["export", "--mode", "image_block", "-o", disk.to_str().unwrap()];
        ok([&mode[..], &[&form]].concat());
        image.expect_merged(&mounted(&disk));
    }
    let missing = run(["merge", "-o", "/dev/null/x", &format!("oci:{}:no", dir.display())]);
    assert_eq!(missing.code, 1);

    // A byte of a layer: its digest is wrong.
    let blob = dir.join("blobs/sha256").join(digest(layers[1]));
    let mut bytes = fs::read(&blob).unwrap();
    bytes[600] ^= 1;
    fs::write(&blob, bytes).unwrap();
    let out = image.path("not");
    let form = format!("oci:{}", dir.display());
    let ran = run(["merge", "-o", out.to_str().unwrap(), &form]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("digest"), "{}", ran.stderr);
    assert!(!out.exists());
}

#[test]
fn a_docker_archive() {
    let image = Image::new();
    let mut archive = TarBuilder::new();
    let mut names = Vec::new();
    let mut ids = Vec::new();
    for (index, layer) in image.stack.layers.iter().enumerate() {
        names.push(format!("\"{index}/layer.tar\""));
        ids.push(format!("\"sha256:{}\"", digest(&layer.tar)));
        archive = archive.file(format!("{index}/layer.tar"), &layer.tar);
    }
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let manifest = format!(r#"[{{"Config":"c.json","Layers":[{}]}}]"#, names.join(","));
    let archive = archive.file("c.json", config.as_bytes());
    let archive = archive.file("manifest.json", manifest.as_bytes()).finish();
    for (name, bytes) in [("save.tar", archive.clone()), ("save.tar.gz", gzip(&archive))] {
        fs::write(image.path(name), bytes).unwrap();
        let form = format!("docker-archive:{}", image.path(name).display());
        let out = image.path("image");
        ok(["merge", "--disk", "-o", out.to_str().unwrap(), &form]);
        image.expect_merged(&mounted(&out));
    }
}

#[test]
fn listings() {
    let image = Image::new();
    let tar = image.tars[0].to_str().unwrap();
    ok(["layer", tar]);
    let erofs = format!("{tar}.erofs");
    for path in [tar, &erofs] {
        assert_eq!(ok(["ls", path, "/usr/bin"]), "dash\nsh\n");
        let long = ok(["ls", "-l", path]);
        assert!(long.lines().any(|line| line.ends_with("bin -> usr/bin")), "{long}");
        assert_eq!(ok(["cat", path, "/etc/issue"]), "Welcome\n");
        assert!(ok(["stat", path, "/usr/bin/sh"]).contains("links: 2"));
        assert_eq!(run(["cat", path, "/none"]).code, 1);
        assert_eq!(run(["cat", path, "/etc"]).code, 1);
    }
    let report = &json(&ok(["inspect", "--json", &erofs]))[0];
    assert_eq!(report["block_size"], 512);
    assert!(report["checksum"].is_null(), "libblkid does not see one with small blocks");
    ok(["layer", "--checksum", "-o", &erofs, tar]);
    assert_eq!(json(&ok(["inspect", "--json", &erofs]))[0]["checksum"], true);
    assert!(ok(["inspect", &erofs]).contains("device 1"));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut archive = TarBuilder::new();
    for number in 0..5000 {
        archive = archive.file(format!("a-name-that-fills-a-pipe-{number:05}"), b"");
    }
    let dir = tempfile::tempdir().unwrap();
    let tar = dir.path().join("many.tar");
    fs::write(&tar, archive.finish()).unwrap();
    let mut command = Command::new(tool());
    command.args(["ls".as_ref(), "-l".as_ref(), tar.as_os_str()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}
