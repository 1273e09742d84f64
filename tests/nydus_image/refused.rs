//! Command lines that are refused: the word that says why, and the exit code.

use testkit::oci::small_image;

use crate::run::{Place, fails, run};

/// Words behind `create`, before `-B OUT TAR`.
const CREATE: &[(&str, &str)] = &[
    ("", "--type dir-rafs: only tar-tarfs is supported"),
    ("--type targz-ref", "--type targz-ref: only tar-tarfs is supported"),
    ("--type tar-rafs", "nydus-image of Nydus does it"),
    ("-t tar-tarfs --blob x", "--blob is not supported: no blob is made"),
    ("-t tar-tarfs --blob-inline-meta", "--blob-inline-meta is not supported"),
    ("-t tar-tarfs --blob-cache-dir x", "--blob-cache-dir is not supported"),
    ("-t tar-tarfs --blob-offset 1", "--blob-offset is not supported"),
    ("-t tar-tarfs --parent-bootstrap x", "--parent-bootstrap is not supported"),
    ("-t tar-tarfs --chunk-dict x", "--chunk-dict is not supported"),
    ("-t tar-tarfs --aligned-chunk", "--aligned-chunk is not supported"),
    ("-t tar-tarfs --encrypt", "--encrypt is not supported"),
    ("-t tar-tarfs --features blob-toc", "--features is not supported"),
    ("-t tar-tarfs --fs-version 5", "--fs-version is not supported"),
    ("-t tar-tarfs --batch-size 0x100000", "--batch-size is not supported"),
    ("-t tar-tarfs --prefetch-policy blob", "--prefetch-policy blob is not supported"),
    ("-t tar-tarfs --repeatable", "--repeatable is not supported: Nydus sets all owners to 0"),
    ("-t tar-tarfs --blob-id a/b", "a name of 1 to 64 bytes"),
    ("-t tar-tarfs --blob-id=", "a name of 1 to 64 bytes"),
];

#[test]
fn what_create_refuses_is_said() {
    for (words, said) in CREATE {
        let place = Place::new();
        let tar = place.put("tar", &small_image()[0].tar);
        let words = ["create"].into_iter().chain(words.split_whitespace());
        fails(1, &[said], words.chain(["-B", &place.word("out"), tar.to_str().unwrap()]));
        assert_eq!(place.names(), ["tar"], "{said}: something is left");
    }
}

#[test]
fn sources_that_are_no_files() {
    let place = Place::new();
    for (source, said) in [("/", "is no file, no pipe"), ("/missing", "/missing: ")] {
        fails(1, &[said], ["create", "-t", "tar-tarfs", "-B", &place.word("out"), source]);
    }
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn other_commands_are_named() {
    for words in ["merge -B out --parent-bootstrap x y", "merge -B out --blob-sizes 1,2 y"] {
        fails(1, &["is not supported"], words.split(' '));
    }
    fails(1, &["inspect answers requests alone"], ["inspect", "boot"]);
    for command in ["stat", "compact", "unpack", "optimize", "chunkdict"] {
        fails(1, &[command, "erofs-tarfs, for tarfs alone"], [command, "--bootstrap", "x"]);
    }
}

/// As clap ends, which Nydus's program reads its command line with.
#[test]
fn a_wrong_command_line_ends_with_two() {
    for words in [
        "",
        "bogus",
        "create -t bogus -B x tar",
        "create -t tar-tarfs",
        "create -t tar-tarfs tar",
        "create -t tar-tarfs -B x --bogus tar",
        "merge -B out",
        "merge layer",
        "inspect -R blobs",
        "export --localfs-dir x --bootstrap y",
        "export --block --bootstrap y",
        "export --block --localfs-dir x --bootstrap y --threads 33",
        "check",
    ] {
        let ran = run(words.split_whitespace());
        assert!(
            ran.code == 2 && ran.stdout.is_empty() && !ran.stderr.is_empty(),
            "{words}: {ran:?}"
        );
    }
}
