//! Standard input as a layer.

use std::fs;
use std::process::Command;

use crate::run::{Image, of_stdin, ok, ok_of, run, tool};

#[test]
fn a_layer_on_standard_input_is_as_one_in_a_file() {
    let image = Image::new();
    let path = |name: &str| image.path(name).to_str().unwrap().to_owned();
    let (out, expected) = (path("out"), path("expected"));
    let files: Vec<_> = image.tars.iter().map(|tar| tar.to_str().unwrap()).collect();
    let zst = zstd::encode_all(&image.stack.layers[1].tar[..], 1).unwrap();
    for words in [
        &["merge", "--disk", "-o"][..],
        &["merge", "-o"],
        &["export", "--mode", "image_block", "-o"],
        &["export", "--mode", "image_block_with_verity", "-o"],
    ] {
        ok([words, &[&expected], &files].concat());
        let with_stdin = [words, &[&out, files[0], "-"], &files[2..]].concat();
        for bytes in [&image.stack.layers[1].tar, &zst] {
            ok_of(bytes, &with_stdin);
            assert!(fs::read(&out).unwrap() == fs::read(&expected).unwrap(), "{words:?}");
        }
    }
    // Over tars as they lie, so that the one of standard input stays.
    let dir = path("forms");
    fs::create_dir(&dir).unwrap();
    let vmdk = format!("{dir}/image.vmdk");
    let words = ["export", "--mode", "image_block", "--form", "vmdk", "-o", &vmdk, files[0], "-"];
    ok_of(&zst, words);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 3);

    let checked = ["check", "--against", files[0], "-", files[2], files[3], &expected];
    ok_of(&image.stack.layers[1].tar, checked);
    assert_eq!(of_stdin(&image.stack.layers[2].tar, checked).code, 1);
    let tar = &image.stack.layers[0].tar;
    assert_eq!(ok_of(tar, ["ls", "-", "usr/bin"]), "dash\nsh\n");
    assert_eq!(ok_of(tar, ["cat", "-", "etc/issue"]), "Welcome\n");
    assert!(ok_of(tar, ["stat", "-", "usr/bin/sh"]).contains("links: 2"));
}

#[test]
fn an_image_on_standard_input() {
    let image = Image::new();
    let path = |name: &str| image.path(name).to_str().unwrap().to_owned();
    let (disk, out, expected) = (path("0.disk"), path("out"), path("expected"));
    let tar = image.tars[0].to_str().unwrap();
    ok(["layer", "--disk", "-o", &disk, tar]);
    ok(["merge", "--disk", "-o", &expected, &disk, image.tars[1].to_str().unwrap()]);
    let bytes = fs::read(&disk).unwrap();
    ok_of(&bytes, ["merge", "--disk", "-o", &out, "-", image.tars[1].to_str().unwrap()]);
    assert!(fs::read(&out).unwrap() == fs::read(&expected).unwrap());
    assert_eq!(ok_of(&bytes, ["cat", "-", "etc/issue"]), "Welcome\n");
}

#[test]
fn it_is_there_once() {
    let image = Image::new();
    let out = image.path("out");
    for layers in [["-", "-"], ["-", "docker-archive:-"], ["oci-archive:-", "-"]] {
        let ran = run([&["merge", "-o", out.to_str().unwrap()][..], &layers].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("standard input can be one layer only"), "{}", ran.stderr);
        assert!(!out.exists());
    }
}

#[test]
fn what_fails_is_called_standard_input() {
    let image = Image::new();
    let out = image.path("out");
    let ran = of_stdin(&[7; 3000], ["merge", "-o", out.to_str().unwrap(), "-"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("tarfs: standard input: "), "{}", ran.stderr);
    assert!(!out.exists());
}

/// However it is asked for: a file that is read there is no output.
#[test]
fn the_file_that_is_standard_input_is_spared() {
    let image = Image::new();
    let (out, tar) = (image.path("out"), image.tars[0].to_str().unwrap());
    fs::write(&out, &image.stack.layers[0].tar).unwrap();
    for arg in ["-", "docker-archive:-", "oci-archive:-:name", "docker-archive:-:a/b:1"] {
        let mut command = Command::new(tool());
        command.args(["merge", "-o", out.to_str().unwrap(), tar, arg]);
        let ran = command.stdin(fs::File::open(&out).unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{arg}: {said}");
        assert!(said.contains("is the input standard input, and the output"), "{arg}: {said}");
        assert!(fs::read(&out).unwrap() == image.stack.layers[0].tar, "{arg}");
    }
}
